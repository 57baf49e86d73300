import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lanes } from '../../worker/lanes.js';
import { computeDeal, type SubtreeSum } from '../../worker/slices.js';

const SLICE_SIZE = 2;

/** Lanes on which slice n has gradient 2^n; those in `bad` are not finite. Slices end in the order that `delay` gives. */
function madeUpLanes(count: number, bad: readonly number[] = [], delay = (slice: number) => slice % 3) {
  const seen = {
    most: 0,
    running: 0,
    merges: [] as [number, number][],
    examples: new Map<number, number[]>(),
  };
  const run = async (kind: string, request: never): Promise<unknown> => {
    if (kind === 'merge') {
      const { left, right } = request as { left: SharedArrayBuffer; right: SharedArrayBuffer };
      const [into, from] = [new Float32Array(left), new Float32Array(right)];
      seen.merges.push([into[0]!, from[0]!]);
      into[0]! += from[0]!;
      return undefined;
    }
    const { slice, examples, gradients } = request as {
      slice: number;
      examples: Uint8Array;
      gradients: SharedArrayBuffer;
    };
    seen.most = Math.max(seen.most, ++seen.running);
    await new Promise((done) => setTimeout(done, 2 * delay(slice)));
    seen.running--;
    seen.examples.set(slice, [...examples]);
    new Float32Array(gradients)[0] = 2 ** slice;
    return {
      timeSteps: Int32Array.of(slice, slice + 100),
      logLikelihoods: Float64Array.of(-slice, -slice - 0.5),
      nonfinite: bad.includes(slice) ? 'conv_out/kernel' : undefined,
      seconds: 0,
    };
  };
  return { seen, lanes: { count, run } as unknown as Pick<Lanes, 'run' | 'count'> };
}

/** Buffers that are out, and what came of a deal. */
function recorder() {
  const sums: SubtreeSum[] = [];
  const nonfinite: [number, string][] = [];
  const out = new Set<SharedArrayBuffer>();
  const callbacks = {
    take: () => {
      const buffer = new SharedArrayBuffer(4);
      out.add(buffer);
      return buffer;
    },
    give: (buffer: SharedArrayBuffer) => void out.delete(buffer),
    done: (sum: SubtreeSum) => void (out.delete(sum.buffer), sums.push(sum)),
    nonfinite: (slice: number, tensor: string) => void nonfinite.push([slice, tensor]),
  };
  return { sums, nonfinite, out, callbacks };
}

const dealOf = (begin: number, end: number) => ({
  step: 5,
  begin,
  end,
  examples: Uint8Array.from({ length: (end - begin) * SLICE_SIZE }, (_, i) => begin * SLICE_SIZE + i),
});

test('slices are summed along the fixed tree, whichever ends first', async () => {
  for (const [count, delay] of [
    [1, () => 0],
    [3, (slice: number) => 7 - slice],
  ] as const) {
    const { seen, lanes } = madeUpLanes(count, [], delay);
    const { sums, out, callbacks } = recorder();
    await computeDeal(dealOf(0, 8), SLICE_SIZE, lanes, new AbortController().signal, callbacks);
    assert.deepEqual(
      sums.map(({ node, buffer }) => [node, new Float32Array(buffer)[0]]),
      [[{ level: 3, index: 0 }, 255]],
    );
    const pairs = seen.merges.toSorted(([a], [b]) => a - b);
    assert.deepEqual(pairs, [
      [1, 2],
      [3, 12],
      [4, 8],
      [15, 240],
      [16, 32],
      [48, 192],
      [64, 128],
    ]);
    assert.equal(seen.most, count);
    assert.equal(out.size, 0);
  }
});

test('a deal that is no whole subtree gives the sums of the complete ones, with the statistics of their examples', async () => {
  const { seen, lanes } = madeUpLanes(2);
  const { sums, callbacks } = recorder();
  await computeDeal(dealOf(3, 6), SLICE_SIZE, lanes, new AbortController().signal, callbacks);
  const byIndex = sums.toSorted((a, b) => a.node.level - b.node.level);
  assert.deepEqual(
    byIndex.map(({ node, buffer, timeSteps, logLikelihoods }) => [
      node,
      new Float32Array(buffer)[0],
      [...timeSteps],
      [...logLikelihoods],
    ]),
    [
      [{ level: 0, index: 3 }, 8, [3, 103], [-3, -3.5]],
      [{ level: 1, index: 2 }, 48, [4, 104, 5, 105], [-4, -4.5, -5, -5.5]],
    ],
  );
  assert.deepEqual(
    [...seen.examples].toSorted(([a], [b]) => a - b),
    [
      [3, [6, 7]],
      [4, [8, 9]],
      [5, [10, 11]],
    ],
  );
});

test('a gradient that is not finite is reported by slice and tensor, and is in no sum', async () => {
  const { lanes } = madeUpLanes(1, [2]);
  const { sums, nonfinite, callbacks } = recorder();
  const giving = new AbortController();
  await computeDeal(dealOf(0, 4), SLICE_SIZE, lanes, giving.signal, {
    ...callbacks,
    nonfinite: (...found) => {
      callbacks.nonfinite(...found);
      giving.abort();
    },
  });
  assert.deepEqual(nonfinite, [[2, 'conv_out/kernel']]);
  assert.deepEqual(sums, []);
});

test('a deal that is given up starts no further slice and gives every buffer back', async () => {
  const { seen, lanes } = madeUpLanes(2);
  const { sums, out, callbacks } = recorder();
  const giving = new AbortController();
  const computing = computeDeal(dealOf(0, 8), SLICE_SIZE, lanes, giving.signal, callbacks);
  giving.abort();
  await computing;
  assert.deepEqual([sums, out.size], [[], 0]);
  assert.ok(seen.examples.size <= 2);
});
