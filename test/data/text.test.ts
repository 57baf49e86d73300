import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import type { Split } from '../../shared/data/dataset.js';
import { layoutText } from '../../shared/data/text-layout.js';
import { openText, textDataset } from '../../shared/data/text.js';
import { allocateClasses } from '../../shared/method/classes.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { noise } from './archives.js';
import { temporaryFolder } from './temporary.js';

const bytesOptions = { vocabulary: 'bytes', length: 25, context: 0, testFraction: 0.1 } as const;

function examples(split: Split, size: number, numClasses = 256): number[][] {
  const into = allocateClasses(numClasses, size);
  return Array.from({ length: split.count }, (_, i) => {
    split.read(i, into);
    return [...into];
  });
}

test('each byte of the held-out splits is in exactly one example, in order', async (t) => {
  const file = path.join(await temporaryFolder(t), 'noise');
  const text = noise(3011);
  writeFileSync(file, text);
  const { test, validation, notes } = await openText(file, bytesOptions);
  const held = [...examples(validation!, 25), ...examples(test, 25)].flat();
  assert.deepEqual(held, [...text.subarray(3011 - held.length)]);
  assert.deepEqual([validation!.count, test.count], [12, 12]);
  assert.deepEqual(notes, [
    `${file} is cut into whole examples of 25: test begins at 2711 (12 examples), validation at 2411 (12), all before is for training`,
  ]);
});

test('the three vocabularies make their classes; bytes takes what is no UTF-8', async (t) => {
  const folder = await temporaryFolder(t);
  const [letters, binary] = [path.join(folder, 'letters'), path.join(folder, 'binary')];
  writeFileSync(letters, 'the cat '.repeat(100));
  writeFileSync(binary, Buffer.from([0, 255, 0xc3, 0x28]).toString('latin1').repeat(100), 'latin1');
  const open = async (file: string, vocabulary: 'bytes' | 'text8' | 'enwik8') => {
    const dataset = await openText(file, { ...bytesOptions, vocabulary, length: 8 });
    assert.deepEqual(dataset.shape, [1, 8, 1]);
    return [dataset.numClasses, examples(dataset.train, 8, dataset.numClasses)[0]];
  };
  assert.deepEqual(await open(letters, 'text8'), [28, [21, 9, 6, 1, 4, 2, 21, 1]]);
  assert.deepEqual(await open(binary, 'enwik8'), [257, [1, 256, 196, 41, 1, 256, 196, 41]]);
  assert.deepEqual(await open(binary, 'bytes'), [256, [0, 255, 195, 40, 0, 255, 195, 40]]);
  await assert.rejects(open(binary, 'text8'), (error: Error) =>
    error.message.startsWith(`${binary} has byte 0x00 at offset 0`),
  );
});

/** Bytes 0..249 again and again: an example tells where it comes from. */
const counting = Uint8Array.from({ length: 1100 }, (_, i) => i % 250);

test('a training example is a crop of its piece, at every place and no other', () => {
  const layout = layoutText(1100, 50, 25, 100);
  const dataset = textDataset('counting', counting, layout, { vocabulary: 'bytes', context: 0 });
  assert.equal(dataset.train.count, 10);
  const into = new Uint8Array(25);
  const starts = new Set<number>();
  const random = stream(1, PURPOSE.crop);
  for (let draw = 0; draw < 2000; draw++) {
    dataset.train.read(3, into, random);
    starts.add(into[0]!);
    assert.equal(into[24], (into[0]! + 24) % 250);
  }
  // Characters 300..399: starts 300..375, of which 300 % 250 = 50.
  assert.deepEqual(
    [...starts].toSorted((a, b) => a - b),
    Array.from({ length: 76 }, (_, i) => 50 + i),
  );
  dataset.train.read(3, into);
  assert.equal(into[0], 50);
});

test('pieces cover the whole training split where their length does not divide it', () => {
  const layout = layoutText(250, 50, 25, 60);
  const { train } = textDataset('counting', counting.subarray(0, 250), layout, {
    vocabulary: 'bytes',
    context: 0,
  });
  assert.equal(train.count, 2);
  const into = new Uint8Array(25);
  const random = stream(1, PURPOSE.crop);
  const starts = (index: number) =>
    Array.from({ length: 1000 }, () => (train.read(index, into, random), into[0]!));
  assert.deepEqual(
    [0, 1].map((piece) => Math.min(...starts(piece))),
    [0, 75],
  );
  assert.deepEqual(
    [0, 1].map((piece) => Math.max(...starts(piece))),
    [50, 125],
  );
});

test('the context of an example is what stands before it, across splits, and zeros before the text', () => {
  const layout = layoutText(1100, 50, 25, 100);
  const options = { vocabulary: 'enwik8', context: 30 } as const;
  const { shape, train, validation, test } = textDataset('counting', counting, layout, options);
  assert.deepEqual(shape, [1, 55, 1]);
  const from = (start: number) => Array.from({ length: 55 }, (_, i) => ((start + i) % 250) + 1);
  assert.deepEqual(examples(test, 55, 257), [from(1020), from(1045)]);
  assert.deepEqual(examples(validation!, 55, 257)[0], from(970));
  assert.deepEqual(examples(train, 55, 257)[1], from(70));
  assert.deepEqual(examples(train, 55, 257)[0], [...new Array<number>(30).fill(0), ...from(0).slice(0, 25)]);
  const into = new Uint16Array(55).fill(7);
  const random = { below: () => 10 } as unknown as Parameters<typeof train.read>[2];
  train.read(0, into, random);
  assert.deepEqual([...into], [...new Array<number>(20).fill(0), ...from(0).slice(0, 35)]);
});

test('what can be no data set is refused with the file and the numbers', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'text');
  const refuses = (message: RegExp, options: Partial<typeof bytesOptions> | { testFraction: number } = {}) =>
    assert.rejects(openText(file, { ...bytesOptions, ...options }), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return error.message.includes(file);
    });
  await refuses(/can't read .*: there is none\. Bring it back, or say with data\.file /);
  writeFileSync(file, '');
  await refuses(/is empty/);
  writeFileSync(file, noise(249));
  await refuses(
    /is too short: of its 249 bytes data.testFraction 0.1 gives 201 to training and 24 each.*has 25/,
  );
  await refuses(/gives 0 to training and 224 each/, { testFraction: 0.9 });
  truncateSync(file, 2_000_000_001);
  await refuses(/has 2000000001 bytes, .* at most 2000000000/);
  const nested = path.join(folder, 'folder');
  mkdirSync(nested);
  await assert.rejects(openText(nested, bytesOptions), /folder is no file/);
});

test('a file has the same hash wherever it is, and another one when a byte of it changes', async (t) => {
  const folder = await temporaryFolder(t);
  const hashOf = async (name: string, bytes: Uint8Array) => {
    writeFileSync(path.join(folder, name), bytes);
    return (await openText(path.join(folder, name), bytesOptions)).hash;
  };
  const hash = await hashOf('a', noise(3011));
  assert.match(hash!, /^[0-9a-f]{64}$/);
  assert.equal(await hashOf('b', noise(3011)), hash);
  assert.notEqual(await hashOf('a', noise(3011).fill(1, 7, 8)), hash);
});
