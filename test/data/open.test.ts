import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { encode } from 'fast-png';
import { mkdirSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../shared/errors.js';
import type { Config } from '../../shared/config/schema.js';
import { defaultCacheFolder, findFiles } from '../../shared/data/cache.js';
import type { Split } from '../../shared/data/dataset.js';
import { openDataset } from '../../shared/data/open.js';
import { sources } from '../../shared/data/sources.js';
import { encodeWav } from '../../shared/render/wav.js';
import { unchecked } from '../support/unchecked.js';
import { noise } from './archives.js';
import { temporaryFolder } from './temporary.js';

type Data = Config['data'];
const data = (set: Data['set'], more: Partial<Data> = {}): Data => ({
  set,
  vocabulary: 'bytes',
  context: 0,
  sampleRate: 16_000,
  testFraction: 0.5,
  augment: 'none',
  ...more,
});
const here = { baseFolder: '.', fetch: false };

/** The mean of all values of the first `count` examples. */
function mean(split: Split, size: number, count = split.count): number {
  const example = new Uint8Array(size);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    split.read(i, example);
    for (const value of example) sum += value;
  }
  return sum / (count * size);
}

test('MNIST is the real one: 60,000 and 10,000 digits with the known mean', async () => {
  const dataset = await openDataset(data('mnist'), here);
  assert.deepEqual(
    [dataset.shape, dataset.numClasses, dataset.train.count, dataset.test.count],
    [[28, 28, 1], 256, 60_000, 10_000],
  );
  assert.ok(Math.abs(mean(dataset.train, 784) / 255 - 0.1307) < 5e-5);
  assert.ok(Math.abs(mean(dataset.test, 784) / 255 - 0.1325) < 5e-5);
});

test('binarised MNIST has the mean of MNIST, in zeros and ones', async () => {
  const dataset = await openDataset(data('binarised-mnist'), here);
  assert.deepEqual([dataset.shape, dataset.numClasses, dataset.train.count], [[28, 28, 1], 2, 60_000]);
  const example = new Uint8Array(784);
  dataset.train.read(0, example);
  assert.deepEqual([...new Set(example)].toSorted(), [0, 1]);
  const grey = await openDataset(data('mnist'), here);
  const difference = mean(dataset.test, 784, 2000) - mean(grey.test, 784, 2000) / 255;
  assert.ok(Math.abs(difference) < 0.001, `${difference}`);
});

/** Opens a set that is not on every machine: fetched if everything is required, told of as unchecked where it is absent. */
async function openIfHere(set: 'fashion-mnist' | 'cifar10') {
  const required = process.env.ARDM_REQUIRE_ALL === '1';
  const { complete } = await findFiles(sources[set], defaultCacheFolder());
  if (complete || required) return openDataset(data(set), { ...here, fetch: required });
  return undefined;
}

test('Fashion-MNIST is the real one', async (t) => {
  const dataset = await openIfHere('fashion-mnist');
  if (!dataset) return unchecked(t, 'Fashion-MNIST is not on this machine');
  assert.deepEqual([dataset.shape, dataset.train.count, dataset.test.count], [[28, 28, 1], 60_000, 10_000]);
  assert.ok(Math.abs(mean(dataset.train, 784) / 255 - 0.286) < 5e-4);
});

test('CIFAR-10 is the real one: 50,000 and 10,000 images with the known mean of each channel', async (t) => {
  const dataset = await openIfHere('cifar10');
  if (!dataset) return unchecked(t, 'CIFAR-10 is not on this machine');
  assert.deepEqual(
    [dataset.shape, dataset.numClasses, dataset.train.count, dataset.test.count],
    [[32, 32, 3], 256, 50_000, 10_000],
  );
  const sums = [0, 0, 0];
  const example = new Uint8Array(3072);
  for (let i = 0; i < dataset.train.count; i++) {
    dataset.train.read(i, example);
    example.forEach((value, k) => (sums[k % 3]! += value));
  }
  const means = sums.map((sum) => (sum / (50_000 * 1024)).toFixed(1));
  assert.deepEqual(means, ['125.3', '123.0', '113.9']);
});

async function folderOf(t: Parameters<typeof temporaryFolder>[0], height: number, width: number) {
  const folder = await temporaryFolder(t);
  mkdirSync(path.join(folder, 'faces'));
  for (let i = 0; i < 20; i++) {
    const png = encode({ width, height, channels: 1, depth: 8, data: noise(height * width, i) });
    writeFileSync(path.join(folder, 'faces', `${i}.png`), png);
  }
  return folder;
}

test('a folder is found relative to the config file', async (t) => {
  const baseFolder = await folderOf(t, 4, 6);
  const dataset = await openDataset(data('folder', { folder: 'faces' }), { ...here, baseFolder });
  assert.equal(dataset.name, 'faces');
  assert.deepEqual(dataset.shape, [4, 6, 1]);
  assert.equal(dataset.train.count + dataset.test.count, 20);
});

test('a text and a folder of clips are found relative to the config file, of the published length unless told', async (t) => {
  const baseFolder = await temporaryFolder(t);
  writeFileSync(path.join(baseFolder, 'book.txt'), 'a word and a word\n'.repeat(500));
  for (let i = 0; i < 20; i++)
    writeFileSync(path.join(baseFolder, `${i}.wav`), encodeWav(new Int16Array(9), 16_000));
  const open = (set: Data['set'], more: Partial<Data>) =>
    openDataset(data(set, { testFraction: 0.2, ...more }), { ...here, baseFolder });
  const text = await open('text', { file: 'book.txt' });
  assert.deepEqual([text.name, text.shape, text.numClasses], ['book.txt', [1, 250, 1], 256]);
  const short = { file: 'book.txt', length: 20, context: 5, vocabulary: 'enwik8' } as const;
  const { shape, numClasses } = await open('text', short);
  assert.deepEqual([shape, numClasses], [[1, 25, 1], 257]);
  assert.deepEqual((await open('wav', { folder: '.' })).shape, [1, 16_000, 1]);
  assert.deepEqual((await open('wav', { folder: '.', length: 12 })).shape, [1, 12, 1]);
});

test('a set that is not here says what to fetch', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  for (const [set, address] of [
    ['text8', 'http://mattmahoney.net/dc/text8.zip (31.3 MB)'],
    ['enwik8', 'http://mattmahoney.net/dc/enwik8.zip (36.4 MB)'],
    [
      'sc09',
      'https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz (2428.9 MB)',
    ],
  ] as const) {
    await assert.rejects(
      openDataset(data(set), { ...here, cacheFolder }),
      (error: Error) =>
        error.message.includes(`Run \`ardm data fetch ${set}\``) && error.message.includes(address),
    );
  }
});

test('a config that does not fit the set is a usage error', async (t) => {
  for (const set of ['folder', 'text', 'wav'] as const)
    await assert.rejects(openDataset(data(set), here), UsageError);
  const baseFolder = await folderOf(t, 4, 6);
  await assert.rejects(
    openDataset(data('folder', { folder: 'faces', augment: 'flip-rotate' }), { ...here, baseFolder }),
    (error) => error instanceof UsageError && /square images, and these are 4x6/.test(error.message),
  );
});
