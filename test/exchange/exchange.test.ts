import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { configSchema } from '../../shared/config/schema.js';
import { checksum } from '../../shared/exchange/buckets.js';
import { Exchange } from '../../shared/exchange/exchange.js';
import { subtreesOf, TreeSum, type TreeNode } from '../../shared/exchange/tree.js';
import { TENSORS, count, madeUpGradient } from './made-up-gradients.js';

const SLICES = 8;
const NUM_PARAMETERS = count(TENSORS);

function exchangeOf(codec: object, parameters = TENSORS, bucketBytes = 8192): Exchange {
  return new Exchange({ ...configSchema.shape.exchange.parse({ codec }), seed: 5, parameters, bucketBytes });
}

/** Sums slices as far as their tree goes; what is complete comes out. */
function sumUp(exchange: Exchange, step: number, parts: [TreeNode, Float32Array][], goals: TreeNode[]) {
  const tree = new TreeSum<Float32Array>(goals);
  const sums: [TreeNode, Float32Array][] = [];
  for (const [node, values] of parts) {
    let next = tree.put(node, values);
    while (next.kind === 'merge') {
      exchange.merge(next.left, next.right, step, next.parent);
      next = tree.put(next.parent, next.left);
    }
    if (next.kind === 'goal') sums.push([next.node, next.value]);
  }
  return sums;
}

/** The sum that travels in packed bytes, decoded. */
function travel(exchange: Exchange, values: Float32Array, step: number, node: TreeNode): Float32Array {
  const packed = new Uint8Array(values.slice().buffer);
  const encoded = exchange.encode(values.slice(), packed, step, node);
  assert.ok('checksums' in encoded);
  const arrived = new Float32Array(values.length).fill(NaN);
  for (const [nth, bucket] of exchange.buckets.entries()) {
    const bytes = packed.subarray(bucket.begin, bucket.begin + bucket.bytes);
    assert.equal(checksum(bytes), encoded.checksums[nth]);
    assert.equal(exchange.decode(bucket, bytes, arrived), undefined);
  }
  return arrived;
}

/** What comes out for workers that begin at these slices. */
function average(exchange: Exchange, step: number, begins: readonly number[]): Float32Array {
  const sent = begins.flatMap((begin, nth) => {
    const end = begins[nth + 1] ?? SLICES;
    const slices = Array.from({ length: end - begin }, (_, i): [TreeNode, Float32Array] => {
      const node = { level: 0, index: begin + i };
      const gradient = madeUpGradient(NUM_PARAMETERS, 100 * step + begin + i);
      exchange.round(gradient, step, node);
      return [node, gradient];
    });
    return sumUp(exchange, step, slices, subtreesOf(begin, end));
  });
  const arrived = sent.map(([node, sum]): [TreeNode, Float32Array] => [
    node,
    travel(exchange, sum, step, node),
  ]);
  const root = { level: Math.log2(SLICES), index: 0 };
  return travel(exchange, sumUp(exchange, step, arrived, [root])[0]![1], step, root);
}

for (const codec of [{ kind: 'float32' }, { kind: 'bf16' }, { kind: 'int8' }])
  test(`${codec.kind}: the same bits come out whoever computes which slices`, () => {
    const exchange = exchangeOf(codec);
    const alone = average(exchange, 3, [0]);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: SLICES - 1 }));
    fc.assert(
      fc.property(cuts, (list) => {
        const begins = [0, ...list.sort((a, b) => a - b)];
        assert.deepEqual(average(exchange, 3, begins), alone);
      }),
      { numRuns: 20 },
    );
    const exact = exchangeOf({ kind: 'float32' });
    const error = average(exact, 3, [0]).map((value, i) => value - alone[i]!);
    const share = Math.hypot(...error) / Math.hypot(...alone);
    assert.ok(share <= { float32: 0, bf16: 0.005, int8: 0.06 }[codec.kind]!, `off by ${share}`);
  });

test('each node and step rounds by draws of its own', () => {
  const exchange = exchangeOf({ kind: 'int8' });
  const rounded = (step: number, node: TreeNode) => {
    const values = madeUpGradient(NUM_PARAMETERS);
    exchange.round(values, step, node);
    return values;
  };
  const first = rounded(0, { level: 0, index: 1 });
  assert.deepEqual(rounded(0, { level: 0, index: 1 }), first);
  assert.notDeepEqual(rounded(1, { level: 0, index: 1 }), first);
  assert.notDeepEqual(rounded(0, { level: 0, index: 2 }), first);
  assert.notDeepEqual(rounded(0, { level: 1, index: 1 }), first);
});

for (const codec of [{ kind: 'int8', rounding: 'feedback' }, { kind: 'top-k' }, { kind: 'power-sgd' }])
  test(`${codec.kind} with feedback: what is decoded and what is lacking add up, and the sum is left as it is decoded`, () => {
    const exchange = exchangeOf(codec);
    assert.ok(exchange.keepsResiduals);
    const residual = madeUpGradient(NUM_PARAMETERS, 1, 1e-4);
    const [values, next] = [madeUpGradient(NUM_PARAMETERS, 2), new Float32Array(NUM_PARAMETERS)];
    const wanted = values.map((value, i) => value + residual[i]!);
    const packed = new Uint8Array(values.slice().buffer);
    const node = { level: 1, index: 0 };
    assert.ok('checksums' in exchange.encode(values, packed, 0, node, { residual, next }));
    const arrived = new Float32Array(NUM_PARAMETERS);
    for (const bucket of exchange.buckets)
      exchange.decode(bucket, packed.subarray(bucket.begin, bucket.begin + bucket.bytes), arrived);
    assert.deepEqual(values, arrived);
    const largest = Math.max(...wanted.map(Math.abs));
    const most = codec.kind === 'power-sgd' ? 2 ** -23 * largest : 0;
    for (let i = 0; i < wanted.length; i++)
      assert.ok(Math.abs(Math.fround(arrived[i]! + next[i]!) - wanted[i]!) <= most, `parameter ${i}`);
    assert.ok(next.some((value) => value !== 0));
  });

test('a sum may be encoded in its own memory, and its residual in the former one', () => {
  for (const codec of [{ kind: 'bf16' }, { kind: 'int8' }, { kind: 'top-k' }, { kind: 'power-sgd' }]) {
    const exchange = exchangeOf(codec);
    const run = (isInPlace: boolean) => {
      const values = madeUpGradient(NUM_PARAMETERS, 3);
      const node = { level: 0, index: 0 };
      exchange.round(values, 0, node);
      const into = new Uint8Array(isInPlace ? values.buffer : values.slice().buffer);
      const residual = madeUpGradient(NUM_PARAMETERS, 4, exchange.keepsResiduals ? 1 : 0);
      const next = isInPlace ? residual : new Float32Array(NUM_PARAMETERS);
      const lacking = exchange.keepsResiduals ? { residual, next } : undefined;
      return {
        encoded: exchange.encode(values, into, 0, node, lacking),
        bytes: into.slice(0, exchange.bytes),
        next,
      };
    };
    const [inPlace, apart] = [run(true), run(false)];
    assert.deepEqual(inPlace.encoded, apart.encoded);
    assert.deepEqual(inPlace.bytes, apart.bytes);
    if (exchange.keepsResiduals) assert.deepEqual(inPlace.next, apart.next);
  }
});

test('a sum that is not finite is told by its parameters, and rounding leaves it so', () => {
  for (const codec of [{ kind: 'bf16' }, { kind: 'int8' }, { kind: 'top-k' }]) {
    const exchange = exchangeOf(codec, [{ shape: [4100] }]);
    const values = new Float32Array(4100).fill(1);
    values[4099] = Infinity;
    exchange.round(values, 0, { level: 0, index: 0 });
    assert.equal(values[4099], Infinity);
    const found = exchange.encode(values, new Uint8Array(values.buffer), 0, { level: 0, index: 0 });
    assert.deepEqual(found, { nonfinite: 'parameters 4096 to 4099' });
  }
});

test('formats differ wherever bytes would be misread', () => {
  const formats = [
    ...[{ kind: 'float32' }, { kind: 'bf16' }, { kind: 'int8' }, { kind: 'int8', rounding: 'feedback' }],
    ...[
      { kind: 'top-k' },
      { kind: 'top-k', density: 0.02 },
      { kind: 'power-sgd' },
      { kind: 'power-sgd', rank: 2 },
    ],
  ].map((codec) => exchangeOf(codec).format);
  assert.equal(new Set(formats).size, formats.length);
});

test('there is no bucket but those that were cut', () => {
  const exchange = exchangeOf({ kind: 'int8' });
  const [first, second] = exchange.buckets;
  assert.equal(exchange.bucketAt(second!), second);
  assert.equal(exchange.bucketAt({ offset: first!.offset, length: first!.length - 1 }), undefined);
  assert.equal(exchange.bucketAt({ offset: 1, length: first!.length }), undefined);
  assert.match(exchange.decode(first!, new Uint8Array(3), new Float32Array(NUM_PARAMETERS))!, /of 3 bytes/);
});
