import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { packAbsent, unpackAbsent } from '../../shared/compression/absent.js';
import { ByteWriter } from '../../shared/compression/byte-writer.js';
import { CompressionError } from '../../shared/compression/error.js';

type Shape = [number, number, number];

/** Examples of which the first rows and columns are there. */
function boxes(shape: Shape, sizes: readonly (readonly [rows: number, columns: number])[]): Uint8Array {
  const [height, width, channels] = shape;
  return Uint8Array.from({ length: sizes.length * height * width * channels }, (_, at) => {
    const pixel = Math.floor(at / channels);
    const [rows, columns] = sizes[Math.floor(pixel / (height * width))]!;
    return Number(Math.floor(pixel / width) % height >= rows || pixel % width >= columns);
  });
}

test('the tiles of an image and the last part of a text take three bytes for each that is not whole', () => {
  const cases: [shape: Shape, sizes: [number, number][], bytes: number][] = [
    [
      [4, 4, 3],
      [
        [4, 4],
        [4, 4],
        [4, 1],
        [2, 4],
        [2, 4],
        [2, 1],
      ],
      1 + 4 * 3,
    ],
    [
      [1, 100, 1],
      [
        [1, 100],
        [1, 17],
      ],
      1 + 3,
    ],
    [[100, 1, 1], [[60, 1]], 1 + 3],
    [[28, 28, 1], [[28, 28]], 0],
    [[2, 2, 1], [[0, 0]], 1 + 3],
  ];
  for (const [shape, sizes, bytes] of cases) {
    const absent = boxes(shape, sizes);
    const packed = packAbsent(absent, shape);
    assert.equal(packed.length, bytes);
    const back = unpackAbsent(packed, sizes.length, shape, 'x');
    assert.deepEqual(back, bytes === 0 ? undefined : absent);
  }
  assert.equal(packAbsent(undefined, [4, 4, 3]).length, 0);
});

test('any mask comes back', () => {
  const mask = fc
    .array(fc.integer({ min: 0, max: 1 }), { minLength: 5, maxLength: 5 })
    .map((few) => Uint8Array.from({ length: 5 * 12 }, (_, v) => few[Math.floor((v * 7) / 12) % 5]!));
  fc.assert(
    fc.property(mask, (absent) => {
      const back = unpackAbsent(packAbsent(absent, [2, 3, 2]), 5, [2, 3, 2], 'x');
      assert.deepEqual(back ?? new Uint8Array(60), absent);
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('what is no mask of these examples is refused', () => {
  const shape: Shape = [2, 3, 1];
  const whole = packAbsent(Uint8Array.of(0, 1, 0, 1, 1, 0), shape);
  const cases: [Uint8Array, RegExp][] = [
    [Uint8Array.of(2), /a form of what is absent of 2/],
    [Uint8Array.of(0, 1, 1, 1), /whole examples of 1, more than 0/],
    [Uint8Array.of(0, 0, 3, 1), /rows of 3, more than 2/],
    [Uint8Array.of(0, 0, 1, 4), /columns of 4, more than 3/],
    [Uint8Array.of(0, 0, 1, 1, 0, 1, 1), /whole examples of 0, more than -1/],
    [Uint8Array.of(0, 0, 1), /ends 1 bytes too early/],
    [Uint8Array.of(1, 1, 2, 3), /runs of what is absent that can’t be unpacked/],
    [whole.subarray(0, -2), /can’t be unpacked/],
  ];
  for (const [packed, message] of cases)
    assert.throws(
      () => unpackAbsent(packed, 1, shape, 'x'),
      (error) => error instanceof CompressionError && message.test(error.message),
      String(message),
    );
  assert.throws(() => unpackAbsent(whole, 2, shape, 'x'), /ends 1 bytes too early/);
  assert.throws(() => unpackAbsent(packRunsOf(7), 1, shape, 'x'), /a run of 7, more than 6/);
});

const packRunsOf = (length: number) =>
  new ByteWriter()
    .number(1)
    .bytes(brotliCompressSync(new ByteWriter().number(length).finish()))
    .finish();
