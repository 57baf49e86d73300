import assert from 'node:assert/strict';
import { CompressionError } from '../../shared/compression/error.js';
import type {
  CodingPlan,
  Coverage,
  CoverageModel,
  Covered,
  FileCoder,
} from '../../shared/compression/file-coder.js';
import type { EngineIdentity } from '../../shared/engine/identity.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

/** Examples of 4 x 2 x 2 bytes. */
export const SHAPE = [4, 2, 2] as const;
export const SIZE = 16;

export const MODEL: CoverageModel = {
  shape: SHAPE,
  numClasses: 256,
  numContext: 0,
  medium: { kind: 'image' },
};

/** The one of 256 examples that the made-up model knows. */
export function pattern(number: number): Uint8Array {
  const random = stream(1, PURPOSE.sample, number);
  return Uint8Array.from({ length: SIZE }, () => random.below(256));
}

const PATTERNS = Array.from({ length: 256 }, (_, number) => pattern(number));

/** A file that the made-up cover takes: an M, then patterns, the last one perhaps cut. */
export function covered(numbers: readonly number[], length = SIZE * numbers.length): Uint8Array {
  return Buffer.concat([Buffer.from('M'), Buffer.concat(numbers.map(pattern)).subarray(0, length)]);
}

/** Covers what begins with an M; the rest: how many bytes follow. */
export const coverage: Coverage = {
  async cover(bytes): Promise<Covered | undefined> {
    if (bytes.length < 2 || bytes[0] !== 77) return undefined;
    const length = bytes.length - 1;
    const examples = new Uint8Array(Math.ceil(length / SIZE) * SIZE);
    examples.set(bytes.subarray(1));
    const absent = length < examples.length ? new Uint8Array(examples.length).fill(1, length) : undefined;
    return { kind: 'bytes', examples, absent, rest: Buffer.from(String(length)) };
  },
  async uncover(kind, rest, examples) {
    const length = Number(Buffer.from(rest).toString());
    if (kind !== 'bytes' || !(length <= examples.length)) throw new CompressionError('the rest is damaged');
    return Buffer.concat([Buffer.from('M'), examples.subarray(0, length) as Uint8Array]);
  },
};

/** What a made-up coder was asked to do. */
export interface Call {
  readonly what: 'encode' | 'decode';
  readonly first: number;
  readonly count: number;
}

/**
 * A coder that needs a byte for a pattern and all of an example for others. As with a real one the stream follows from the example's place and the
 * plan, and another place, plan or a flipped bit is noticed or gives another example.
 */
export function madeUpCoder(change: Partial<FileCoder> = {}): FileCoder & { readonly calls: Call[] } {
  const plan: CodingPlan = { policy: Int32Array.of(0, 3, 8), seed: 7, batch: 4 };
  const engine: EngineIdentity = { kind: 'exact', runtime: 'made-up 1', wasm: '1', graph: '2' };
  const calls: Call[] = [];
  const coder: FileCoder = {
    ...{ model: MODEL, modelHash: 'abcdef0123456789'.repeat(4), engine, plan },
    async encode(first, examples, absent) {
      const count = examples.length / SIZE;
      calls.push(checkedCall({ what: 'encode', first, count }, coder.plan));
      return each(count, absent, (i, present) => {
        const values = present.map((v) => examples[i * SIZE + v]!);
        if (values.length === 0) return new Uint8Array();
        const number = PATTERNS.findIndex((known) => present.every((v, n) => known[v] === values[n]));
        const key = keyOf(coder.plan, first + i);
        if (number >= 0) return Uint8Array.of((number + key) % 256);
        return Uint8Array.of(...values.map((value) => (value + key) % 256), checkOf(values));
      });
    },
    async decode(first, streams, absent) {
      calls.push(checkedCall({ what: 'decode', first, count: streams.length }, coder.plan));
      const examples = new Uint8Array(streams.length * SIZE);
      each(streams.length, absent, (i, present) => {
        const bytes = streams[i]!;
        const key = 256 - keyOf(coder.plan, first + i);
        let values: number[];
        if (bytes.length === 1 && present.length > 0) {
          const known = PATTERNS[(bytes[0]! + key) % 256]!;
          values = present.map((v) => known[v]!);
        } else {
          values = [...bytes.subarray(0, present.length)].map((value) => (value + key) % 256);
          if (
            bytes.length !== (present.length && present.length + 1) ||
            checkOf(values) !== (bytes.at(-1) ?? 0)
          )
            throw new CompressionError(`example ${first + i} is no message`);
        }
        present.forEach((v, n) => (examples[i * SIZE + v] = values[n]!));
      });
      return examples;
    },
    ...change,
  };
  return { ...coder, calls };
}

function each<T>(
  count: number,
  absent: Uint8Array | undefined,
  use: (i: number, present: number[]) => T,
): T[] {
  return Array.from({ length: count }, (_, i) =>
    use(
      i,
      Array.from({ length: SIZE }, (_, v) => v).filter((v) => !absent?.[i * SIZE + v]),
    ),
  );
}

/** What every coder may rely on. */
function checkedCall(call: Call, { batch }: CodingPlan): Call {
  assert.ok(call.first % batch === 0 && call.count >= 1 && call.count <= batch, JSON.stringify(call));
  return call;
}

const keyOf = ({ policy, seed, batch }: CodingPlan, place: number): number =>
  (place * 7 + seed * 3 + policy.length * 5 + policy.at(-1)! + batch) % 256;

const checkOf = (values: readonly number[]): number =>
  values.reduce((sum, value, i) => (sum + value * (i + 1)) % 256, 0);
