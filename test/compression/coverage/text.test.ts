import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { vocabularies } from '../../../shared/data/vocabulary.js';
import { noise } from '../../data/archives.js';
import { audioModel, covers, imageModel, roundTrip, textModel } from './models.js';

const ours = textModel('text8', 50);
const encode = (text: string) => vocabularies.text8.encode(new TextEncoder().encode(text), '');

const PLAIN = 'the quick brown fox jumps over the lazy dog and then it sleeps all day long under a tree';
const WRITTEN = `It was late. "You, Mr. Fox," said the Dog,
"jump over me 2 or 3 times a day!" Then the Fox went home, and nothing at all happened for a long time
in that quiet and otherwise unremarkable village.
`;

test('a text of the vocabulary is cut into chunks, the last one partly absent', async () => {
  const { kind, examples, absent, rest } = await covers(Buffer.from(PLAIN), ours);
  assert.equal(kind, 'text');
  assert.equal(examples.length, 100);
  assert.deepEqual(examples.subarray(0, PLAIN.length), encode(PLAIN));
  assert.deepEqual(
    absent,
    Uint8Array.from({ length: 100 }, (_, i) => (i < PLAIN.length ? 0 : 1)),
  );
  assert.ok(rest.length <= 3, `${rest.length} bytes`);
});

test('the context of a chunk is as at the beginning of a text, and not absent', async () => {
  for (const length of [30, 88, 100]) {
    const { examples, absent } = await covers(Buffer.from(PLAIN), textModel('text8', length, 10));
    for (let from = 0; from < examples.length; from += length + 10) {
      assert.ok(examples.subarray(from, from + 10).every((value) => value === 0));
      assert.ok(!absent?.subarray(from, from + 10).includes(1));
    }
    assert.deepEqual(examples.subarray(10, 40), encode(PLAIN.slice(0, 30)));
  }
});

test('capitals are coded as small letters, newlines as spaces, and other characters are cut out', async () => {
  const { examples, absent, rest } = await covers(Buffer.from(WRITTEN), ours);
  const coded = WRITTEN.toLowerCase()
    .replaceAll('\n', ' ')
    .replaceAll(/[^a-z ]/g, '');
  assert.deepEqual(
    examples.filter((_, i) => !absent![i]),
    encode(coded),
  );
  assert.ok(rest.length < 70, `${rest.length} bytes`);
});

test('a text that is mostly of other characters, and an empty one, are not covered', async () => {
  assert.equal(await roundTrip(noise(500), ours), undefined);
  assert.equal(await roundTrip(Buffer.from('1234567890'.repeat(20)), ours), undefined);
  for (const model of [ours, textModel('enwik8', 50), textModel('bytes', 50)])
    assert.equal(await roundTrip(new Uint8Array(), model), undefined);
});

test('a model of bytes covers any file', async () => {
  for (const bytes of [
    noise(333),
    Buffer.from([0xff, 0xfe, 0, 0x80, 0xc3]),
    readFileSync(process.execPath).subarray(0, 1000),
  ]) {
    for (const vocabulary of ['bytes', 'enwik8'] as const) {
      const { kind, examples, rest } = await covers(bytes, textModel(vocabulary, 50, 3));
      assert.equal(kind, 'bytes');
      assert.equal(examples.length, Math.ceil(bytes.length / 50) * 53);
      assert.ok(rest.length <= 3);
    }
  }
});

test('models of images and sound cover no text', async () => {
  for (const model of [imageModel(8, 8, 1), imageModel(8, 8, 3), audioModel(10)])
    assert.equal(await roundTrip(Buffer.from(PLAIN), model), undefined);
});

test('any bytes come back', async () => {
  const character = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 97, max: 122 }) },
    { weight: 2, arbitrary: fc.constantFrom(32, 10, 65, 90, 91, 64, 96, 123, 33) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );
  const text = fc.array(character, { maxLength: 300, size: 'max' }).map((bytes) => Uint8Array.from(bytes));
  let numCovered = 0;
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 4 }),
      async (bytes, length, context) => {
        if (await roundTrip(bytes, textModel('text8', length, context))) numCovered++;
      },
    ),
    { numRuns: 100, seed: 2 },
  );
  assert.ok(numCovered > 50, `${numCovered} covered`);
});
