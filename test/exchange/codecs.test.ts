import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { configSchema, type CodecConfig } from '../../shared/config/schema.js';
import { createCodec } from '../../shared/exchange/codecs/create.js';
import type { Codec, EncodedBucket } from '../../shared/exchange/codecs/codec.js';
import { addInto } from '../../shared/optimizer/sum.js';
import { TENSORS, count, madeUpGradient } from './made-up-gradients.js';

const codecOf = (settings: object) => configSchema.shape.exchange.parse({ codec: settings }).codec;

/** Each codec, the bytes of a value that it must stay below on TENSORS, and how far a value and its residual may be off their sum, in float32's units in the last place. */
const CODECS: readonly { config: CodecConfig; bytes: number; ulps: number }[] = [
  { config: codecOf({ kind: 'float32' }), bytes: 4, ulps: 0 },
  { config: codecOf({ kind: 'bf16' }), bytes: 2, ulps: 0 },
  { config: codecOf({ kind: 'int8' }), bytes: 1.03, ulps: 0 },
  { config: codecOf({ kind: 'top-k', density: 0.01 }), bytes: 0.07, ulps: 0 },
  { config: codecOf({ kind: 'power-sgd', rank: 4 }), bytes: 0.65, ulps: 1 },
];

const BUCKET_BYTES = 16_384;
const NUM_VALUES = count(TENSORS);

const valuesOf = (values: Float32Array, { offset, length }: EncodedBucket) =>
  values.subarray(offset, offset + length);

function encode(codec: Codec, values: Float32Array, draw?: number): Uint8Array[] {
  return codec.buckets.map((bucket) => {
    const bytes = new Uint8Array(bucket.bytes).fill(0xa5);
    assert.equal(codec.encode(bucket, valuesOf(values, bucket), bytes, draw), undefined);
    return bytes;
  });
}

function decode(codec: Codec, encoded: readonly Uint8Array[], length: number): Float32Array {
  const values = new Float32Array(length).fill(NaN);
  for (const [nth, bucket] of codec.buckets.entries())
    assert.equal(codec.decode(bucket, encoded[nth]!, valuesOf(values, bucket)), undefined);
  return values;
}

const bitsOf = (values: Float32Array) => new Int32Array(values.slice().buffer);

/** Distance in representable numbers. */
function ulps(a: number, b: number): number {
  const [x, y] = [a, b].map((value) => {
    const bits = new Int32Array(Float32Array.of(value).buffer)[0]!;
    return bits < 0 ? -(bits & 0x7fffffff) : bits;
  });
  return Math.abs(x! - y!);
}

/** Any finite float32 that PowerSGD's products of two stay finite with. */
const anyValue = fc.float({
  noNaN: true,
  noDefaultInfinity: true,
  min: Math.fround(-1e15),
  max: Math.fround(1e15),
});
const anyValues = fc.array(anyValue, { minLength: 1, maxLength: 300 }).map((list) => Float32Array.from(list));

for (const { config, bytes: mostBytes, ulps: mostUlps } of CODECS) {
  const test1 = (name: string, run: () => void) => test(`${config.kind}: ${name}`, run);
  const codec = createCodec(config, TENSORS, BUCKET_BYTES);

  test1(
    'buckets cover any number of values, in bytes that are told beforehand and never more than as float32',
    () => {
      const lengths = [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 4095, 4096, 4097, 65_535, 65_537, 200_001];
      for (const length of lengths) {
        const shape = [length];
        const each = createCodec(config, [{ shape }], BUCKET_BYTES);
        let end = 0;
        for (const { offset, length, bytes } of each.buckets) {
          assert.equal(offset, end);
          assert.ok(length > 0 && bytes <= 4 * length && bytes > 0);
          end += length;
        }
        assert.equal(end, length);
        const values = madeUpGradient(length, length);
        const decoded = decode(each, encode(each, values), length);
        assert.ok(decoded.every(Number.isFinite), `${length}`);
      }
      const all = codec.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
      assert.ok(all / NUM_VALUES <= mostBytes, `${all / NUM_VALUES} bytes a value`);
    },
  );

  test1('the same values and draw give the same bytes, in another memory and in another instance', () => {
    const values = madeUpGradient(NUM_VALUES, 3);
    const elsewhere = new Float32Array(new SharedArrayBuffer(4 * NUM_VALUES + 4), 4);
    elsewhere.set(values);
    const other = createCodec(config, TENSORS, BUCKET_BYTES);
    encode(other, madeUpGradient(NUM_VALUES, 4), 9);
    assert.deepEqual(encode(other, elsewhere, 77), encode(codec, values, 77));
  });

  test1('encoding changes no value, and writes no byte beyond its own', () => {
    const values = madeUpGradient(NUM_VALUES, 5);
    const before = values.slice();
    const [bucket] = codec.buckets;
    const bytes = new Uint8Array(bucket!.bytes + 16).fill(0xa5);
    codec.encode(bucket!, valuesOf(values, bucket!), bytes.subarray(8, 8 + bucket!.bytes));
    assert.deepEqual(values, before);
    assert.deepEqual([...bytes.slice(0, 8), ...bytes.slice(-8)], Array(16).fill(0xa5));
  });

  test1('what is not finite is refused, and where it stands told', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const bucket of [codec.buckets[0]!, codec.buckets.at(-1)!]) {
        for (const at of [0, bucket.length >> 1, bucket.length - 1]) {
          const values = new Float32Array(bucket.length).fill(0.5);
          values[at] = bad;
          assert.equal(codec.encode(bucket, values, new Uint8Array(bucket.bytes)), at, `${bad} at ${at}`);
        }
      }
    }
  });

  test1('zeros stay zeros', () => {
    const decoded = decode(codec, encode(codec, new Float32Array(NUM_VALUES), 1), NUM_VALUES);
    assert.ok(decoded.every((value) => value === 0));
  });

  test1('what is decoded plus what it lacks is what was to be sent', () => {
    const check = (values: Float32Array, tensors: readonly { shape: number[] }[], start: number) => {
      // With feedback, a value goes to the nearest; PowerSGD begins at a draw.
      const draw = config.kind === 'power-sgd' ? start : undefined;
      const each = createCodec(config, tensors, BUCKET_BYTES);
      const sent = decode(each, encode(each, values, draw), values.length);
      const residual = values.map((value, i) => value - sent[i]!);
      const sum = sent.slice();
      addInto(sum, residual);
      for (let i = 0; i < sum.length; i++) {
        const scale = Math.max(Math.abs(values[i]!), Math.abs(sent[i]!), Math.abs(residual[i]!));
        const off =
          mostUlps === 0 ? ulps(sum[i]!, values[i]!) : ulps(scale + Math.abs(sum[i]! - values[i]!), scale);
        assert.ok(off <= mostUlps, `${sent[i]} + ${residual[i]} for ${values[i]}`);
      }
    };
    fc.assert(
      fc.property(anyValues, fc.integer(), (values, draw) =>
        check(values, [{ shape: [values.length] }], draw),
      ),
    );
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 240, maxLength: 240 }), fc.integer(), (values, draw) =>
        check(Float32Array.from(values), [{ shape: [15, 16] }], draw),
      ),
      { numRuns: 50 },
    );
    check(madeUpGradient(NUM_VALUES, 8), TENSORS, 0);
  });

  test1('with feedback, what is sent over many steps is what was to be sent', () => {
    const gradient = madeUpGradient(NUM_VALUES, 6);
    const residual = new Float32Array(NUM_VALUES);
    const sum = new Float64Array(NUM_VALUES);
    const steps = 400;
    for (let step = 0; step < steps; step++) {
      addInto(residual, gradient);
      const sent = decode(
        codec,
        encode(codec, residual, config.kind === 'power-sgd' ? step : undefined),
        NUM_VALUES,
      );
      for (let i = 0; i < sum.length; i++) {
        sum[i]! += sent[i]!;
        residual[i]! -= sent[i]!;
      }
    }
    const norm = (values: Iterable<number>) => Math.hypot(...[...values].slice(0, 12_000));
    const missing = gradient.map((value, i) => value - sum[i]! / steps);
    assert.ok(norm(missing) < 0.35 * norm(gradient), `${norm(missing) / norm(gradient)} is missing`);
  });

  test1('extreme values are encoded or refused, and come back near what they were', () => {
    for (const value of [1e-45, -1e-42, 1.2e-38, 1e30, -1e38, 3.3e38]) {
      for (const bucket of codec.buckets) {
        const values = new Float32Array(bucket.length).fill(value);
        const bytes = new Uint8Array(bucket.bytes);
        const refused = codec.encode(bucket, values, bytes, 5);
        if (config.kind === 'power-sgd' && Math.abs(value) > 1e37) {
          if (refused !== undefined) continue;
        } else assert.equal(refused, undefined, `${value}`);
        const into = new Float32Array(bucket.length);
        codec.decode(bucket, bytes, into);
        const sent = into.filter((each) => each !== 0);
        const error = Math.max(0, ...sent.map((each) => Math.abs(each - value)));
        assert.ok(error <= Math.max(2e-38, 0.02 * Math.abs(value)), `${value}: ${error}`);
      }
    }
  });

  test1('any bytes decode to something or are refused', () => {
    const [bucket] = codec.buckets;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: bucket!.bytes, maxLength: bucket!.bytes }), (bytes) => {
        const problem = codec.decode(bucket!, bytes, new Float32Array(bucket!.length));
        assert.ok(problem === undefined || problem.length > 0);
      }),
      { numRuns: 30 },
    );
  });
}

test('bf16 rounds each of all patterns to the nearest, ties to even', () => {
  const codec = createCodec(codecOf({ kind: 'bf16' }), [{ shape: [65_536] }], 2 ** 20);
  const [bucket] = codec.buckets;
  // Every bfloat16 is itself; half-way up goes to the even one.
  const patterns = Uint32Array.from({ length: 65_536 }, (_, i) => i << 16);
  const finite = patterns.map((bits) => ((bits & 0x7f800000) === 0x7f800000 ? 0 : bits));
  for (const [low, expected] of [
    [0, (bits: number) => bits],
    [0x7fff, (bits: number) => bits],
    [0x8000, (bits: number) => bits + ((bits >>> 16) & 1) * 0x10000],
    [0x8001, (bits: number) => bits + 0x10000],
  ] as const) {
    const words = finite.map((bits) => ((bits & 0x7fff0000) === 0x7f7f0000 ? bits & 0x80000000 : bits) | low);
    const bytes = new Uint8Array(bucket!.bytes);
    assert.equal(codec.encode(bucket!, new Float32Array(words.buffer), bytes), undefined);
    const decoded = new Float32Array(65_536);
    codec.decode(bucket!, bytes, decoded);
    assert.deepEqual(
      new Uint32Array(decoded.buffer),
      words.map((word) => expected((word & 0xffff0000) >>> 0)),
    );
  }
});

test('what int8 and bf16 have decoded, they encode without loss', () => {
  for (const kind of ['bf16', 'int8']) {
    const codec = createCodec(codecOf({ kind }), [{ shape: [300] }], 4096);
    const again = fc.property(
      fc.array(
        fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-3e38), max: Math.fround(3e38) }),
        {
          minLength: 300,
          maxLength: 300,
        },
      ),
      fc.integer(),
      (list, draw) => {
        const once = decode(codec, encode(codec, Float32Array.from(list), draw), 300);
        for (const other of [undefined, draw + 1])
          assert.deepEqual(bitsOf(decode(codec, encode(codec, once, other), 300)), bitsOf(once));
      },
    );
    fc.assert(again);
  }
});

test("int8's scale is the smallest power of two of which 127 reach the largest value, and values go to the nearest multiple", () => {
  const codec = createCodec(codecOf({ kind: 'int8' }), [{ shape: [5] }], 4096);
  const encodeAll = (...list: number[]) => [...encode(codec, Float32Array.from(list))[0]!];
  assert.deepEqual(encodeAll(127, -127, 1, 0.4, -0.6), [126, 127, 129, 1, 0, 255]);
  assert.deepEqual(encodeAll(127.5, 2, 3, -5, 0), [127, 64, 1, 2, 254, 0]);
  assert.deepEqual(encodeAll(2 ** -9, 0, 0, 0, 0), [126 - 15, 64, 0, 0, 0, 0]);
});

test('dithered int8 is right on average, and its error half a scale at most per draw', () => {
  const codec = createCodec(codecOf({ kind: 'int8' }), [{ shape: [256] }], 4096);
  const values = madeUpGradient(256, 2);
  const mean = new Float64Array(256);
  const draws = 4000;
  for (let draw = 0; draw < draws; draw++)
    decode(codec, encode(codec, values, Math.imul(draw, 0x2545f491)), 256).forEach(
      (value, i) => (mean[i]! += value / draws),
    );
  for (let begin = 0; begin < 256; begin += 64) {
    const scale = Math.max(...values.slice(begin, begin + 64).map(Math.abs)) / 63.5;
    for (let i = begin; i < begin + 64; i++) {
      const off = Math.abs(mean[i]! - values[i]!);
      // A draw's deviation is half a scale at most: 5 of its mean's.
      assert.ok(off < (5 * 0.5 * scale) / Math.sqrt(draws), `value ${i} is off by ${off / scale} scales`);
    }
  }
});

test('top-k keeps the largest, of equals the first, whatever their signs', () => {
  const codec = createCodec(codecOf({ kind: 'top-k', density: 0.25 }), [{ shape: [16] }], 4096);
  const values = Float32Array.of(1, -3, 2, 2, 0, 2, -2, 1, 0, 0, 0, 5, 0, 0, 0, 0);
  const expected = Float32Array.of(0, -3, 2, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0);
  assert.deepEqual(decode(codec, encode(codec, values), 16), expected);
});

test('top-k refuses numbers that do not ascend or lie beyond the block', () => {
  const codec = createCodec(codecOf({ kind: 'top-k', density: 0.25 }), [{ shape: [16] }], 4096);
  const [bucket] = codec.buckets;
  const [bytes] = encode(codec, madeUpGradient(16));
  const numbers = (...list: number[]) => {
    const changed = bytes!.slice();
    changed.set(new Uint8Array(Uint16Array.from(list).buffer));
    return codec.decode(bucket!, changed, new Float32Array(16));
  };
  assert.equal(numbers(0, 1, 2, 15), undefined);
  for (const wrong of [
    [0, 1, 1, 2],
    [3, 2, 4, 5],
    [0, 1, 2, 16],
  ])
    assert.equal(numbers(...wrong), 'values that are not in order');
});

test('PowerSGD gives a matrix of its rank back', () => {
  const [rows, columns] = [40, 30];
  const [a, b] = [madeUpGradient(2 * rows, 1), madeUpGradient(2 * columns, 2)];
  const values = Float32Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return a[2 * i]! * b[2 * j]! + a[2 * i + 1]! * b[2 * j + 1]!;
  });
  const codec = createCodec(codecOf({ kind: 'power-sgd', rank: 2 }), [{ shape: [rows, columns] }], 4096);
  const decoded = decode(codec, encode(codec, values, 1), values.length);
  const largest = Math.max(...values.map(Math.abs));
  for (let i = 0; i < values.length; i++) assert.ok(Math.abs(decoded[i]! - values[i]!) < 1e-5 * largest);
});
