import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../shared/config/schema.js';
import { publishedSet } from '../../shared/config/sets.js';
import { openDataset } from '../../shared/data/open.js';
import { temporaryFolder } from '../data/temporary.js';

test('what is said of MNIST without having it is what it has', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  for (const set of ['mnist', 'binarised-mnist'] as const) {
    const data = configSchema.shape.data.parse({ set });
    const { shape, numClasses, train, test } = await openDataset(data, {
      cacheFolder,
      baseFolder: '.',
      fetch: false,
    });
    assert.deepEqual({ shape, numClasses, numTrain: train.count, numTest: test.count }, publishedSet(data));
  }
});

test('text8, enwik8 and SC09 have the published numbers of examples; your own data are not known', () => {
  const known = (data: object) => publishedSet(configSchema.shape.data.parse(data));
  const text = { numTrain: 90_000, numValidation: 20_000, numTest: 20_000 };
  assert.deepEqual(known({ set: 'text8' }), { shape: [1, 250, 1], numClasses: 28, ...text });
  assert.deepEqual(known({ set: 'enwik8', context: 50 }), { shape: [1, 300, 1], numClasses: 257, ...text });
  assert.deepEqual(known({ set: 'text8', length: 256 }), {
    shape: [1, 256, 1],
    numClasses: 28,
    numTrain: 90_000,
    numValidation: 19_531,
    numTest: 19_531,
  });
  assert.deepEqual(known({ set: 'sc09' }), {
    shape: [1, 16_000, 1],
    numClasses: 65_536,
    numTrain: 31_158,
    numValidation: 3_643,
    numTest: 4_107,
  });
  for (const set of ['folder', 'text', 'wav']) assert.equal(known({ set }), undefined);
});
