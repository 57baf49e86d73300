import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { encode } from 'fast-png';
import { ByteWriter } from '../../../shared/compression/byte-writer.js';
import { coverage } from '../../../shared/compression/coverage/cover.js';
import { CompressionError } from '../../../shared/compression/error.js';
import {
  COVERAGE_KINDS,
  type CoverageModel,
  type CoverageKind,
} from '../../../shared/compression/file-coder.js';
import { allocateClasses } from '../../../shared/method/classes.js';
import { encodeWav } from '../../../shared/render/wav.js';
import { idxFile, noise } from '../../data/archives.js';
import { audioModel, covers, imageModel, textModel } from './models.js';
import { pngChunk, writePng } from './png-writer.js';

const grey = imageModel(8, 8, 1);
const text = Buffer.from('A Text, with Capitals; and 3 or 4 other characters! '.repeat(4));
const split = writePng({
  width: 20,
  height: 20,
  pixels: noise(400).map((value) => value & 7),
  filters: [0, 1, 2, 3],
  chunkSizes: [50, 20],
  before: pngChunk('tEXt', noise(20)),
});

const FILES: readonly (readonly [string, Uint8Array, CoverageModel])[] = [
  [
    'a PNG file',
    encode({ width: 20, height: 20, channels: 1, depth: 8, data: noise(400).map((v) => v & 3) }),
    grey,
  ],
  ['a PNG file of odd parts', split, grey],
  ['an idx file', idxFile(3, 9, 9, noise(243)), grey],
  [
    'a CIFAR-10 batch',
    noise(3073 * 8).map((value, at) => (at % 3073 === 0 ? 3 : value)),
    imageModel(32, 32, 3),
  ],
  ['a text', text, textModel('text8', 20, 2)],
  ['bytes', noise(90), textModel('bytes', 20)],
  ['a WAV file', encodeWav(Int16Array.from(noise(200)), 8000), audioModel(50)],
];

/** Whatever comes, it is bytes or a CompressionError. */
async function survives(
  kind: CoverageKind,
  rest: Uint8Array,
  examples: Uint8Array | Uint16Array,
  model: CoverageModel,
) {
  try {
    return await coverage.uncover(kind, rest, examples, model);
  } catch (error) {
    assert.ok(error instanceof CompressionError, String((error as Error).stack));
    return undefined;
  }
}

for (const [what, bytes, model] of FILES) {
  test(`${what}: a rest that is cut, longer or altered gives an error or other bytes, and never more than it should`, async () => {
    const { kind, examples, rest } = await covers(bytes, model);
    for (let length = 0; length < rest.length; length++) {
      const back = await survives(kind, rest.subarray(0, length), examples, model);
      assert.ok(!back || back.length <= bytes.length, `${length} of ${rest.length} bytes`);
    }
    await survives(kind, Buffer.concat([rest, noise(3)]), examples, model);
    for (let at = 0; at < rest.length; at++) {
      for (const bit of [1, 16, 128]) {
        const altered = rest.map((byte, i) => (i === at ? byte ^ bit : byte));
        const back = await survives(kind, altered, examples, model);
        assert.ok(!back || back.length < 2 * bytes.length + 2000);
      }
    }
  });

  test(`${what}: fewer or more examples than it needs are an error`, async () => {
    const { kind, examples, rest } = await covers(bytes, model);
    const size = model.shape[0] * model.shape[1] * model.shape[2];
    const longer = allocateClasses(model.numClasses, examples.length + size);
    for (const others of [examples.subarray(0, -size), examples.subarray(0, 0), longer])
      await assert.rejects(coverage.uncover(kind, rest, others, model), /another number of examples/);
  });
}

test('noise is a rest of nothing', async () => {
  for (const [, , model] of FILES) {
    const examples = allocateClasses(model.numClasses, 4 * model.shape[0] * model.shape[1] * model.shape[2]);
    for (const kind of COVERAGE_KINDS) {
      for (let seed = 1; seed < 60; seed++) {
        // Small numbers get further.
        const numbers = noise(seed, seed).map((value) => value >> (seed % 8));
        await survives(kind, Buffer.concat([Buffer.of(0), numbers]), examples, model);
      }
    }
  }
});

test('numbers that ask for more than there is are refused before anything is made for them', async () => {
  const huge = 2 ** 52;
  const rests: [CoverageKind, ByteWriter, CoverageModel][] = [
    ['png', new ByteWriter().number(huge).number(huge), grey],
    ['png', new ByteWriter().number(8).number(8).number(0).number(6), grey],
    [
      'png',
      new ByteWriter().number(8).number(8).number(0).number(0).number(6).number(7).number(0).number(2),
      grey,
    ],
    [
      'idx',
      new ByteWriter()
        .number(2 ** 32 - 1)
        .number(2 ** 32 - 1)
        .number(0),
      grey,
    ],
    [
      'idx',
      new ByteWriter()
        .number(1)
        .number(0)
        .number(2 ** 32 - 1),
      grey,
    ],
    ['text', new ByteWriter().number(huge).number(0), textModel('text8', 64)],
    ['text', new ByteWriter().number(64).number(huge), textModel('text8', 64)],
    ['text', new ByteWriter().number(64).sized(Buffer.from('!')).number(65), textModel('text8', 64)],
    ['text', new ByteWriter().number(64).sized(Buffer.from('A')).number(64), textModel('text8', 64)],
    [
      'text',
      new ByteWriter().number(64).sized(Buffer.from('\n\n')).number(0).number(0),
      textModel('text8', 64),
    ],
    ['bytes', new ByteWriter().number(huge), textModel('bytes', 64)],
    ['wav', new ByteWriter().number(65_535).number(huge), audioModel(64)],
    ['wav', new ByteWriter().number(1).number(64).number(1).number(huge), audioModel(64)],
  ];
  for (const [kind, rest, model] of rests) {
    const packed = new ByteWriter().number(0).bytes(rest.finish()).finish();
    const examples = allocateClasses(model.numClasses, 64).fill(1);
    await assert.rejects(coverage.uncover(kind, packed, examples, model), CompressionError, kind);
  }
});

test('images without pixels are refused, however many', async () => {
  for (const sizes of [
    [2 ** 32 - 1, 2 ** 32 - 1, 0],
    [0, 8, 8],
  ]) {
    const rest = new ByteWriter().number(0);
    for (const size of sizes) rest.number(size);
    const none = coverage.uncover('idx', rest.finish(), new Uint8Array(), grey);
    await assert.rejects(none, /another number of examples/);
  }
});

test('bytes after a rest are refused', async () => {
  const [, bytes, model] = FILES[0]!;
  const { kind, examples, rest } = await covers(bytes, model);
  const longer = Buffer.concat([rest, noise(1)]);
  await assert.rejects(coverage.uncover(kind, longer, examples, model), /has 1 bytes too many/);
});

test('a rest that unpacks to more than it states, or states gigabytes, is refused', async () => {
  const zeros = brotliCompressSync(new Uint8Array(2 ** 24));
  for (const [stated, message] of [
    [10, /can’t be unpacked/],
    [2 ** 20, /can’t be unpacked/],
    [2 ** 24, /a length of 16777216, more than/],
    [2 ** 40, /a length of 1099511627776, more than/],
  ] as const) {
    const rest = new ByteWriter().number(stated).bytes(zeros).finish();
    await assert.rejects(coverage.uncover('idx', rest, new Uint8Array(64), grey), message);
  }
});

test('a kind that the model does not fit is refused', async () => {
  const rest = new ByteWriter().number(0).number(1).number(8).number(8).finish();
  await assert.rejects(
    coverage.uncover('idx', rest, new Uint8Array(64), imageModel(8, 8, 3)),
    /which the model does not fit/,
  );
});

test('classes that stand for no character are refused', async () => {
  for (const vocabulary of ['text8', 'enwik8'] as const) {
    const model = textModel(vocabulary, 60);
    const { kind, examples, rest } = await covers(
      Buffer.from('so it is and so it will be for ever and a day to come'),
      model,
    );
    await assert.rejects(
      coverage.uncover(
        kind,
        rest,
        examples.map((value, i) => (i === 3 ? 0 : value)),
        model,
      ),
      /stand for no/,
    );
  }
});
