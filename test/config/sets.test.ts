import assert from 'node:assert/strict';
import test from 'node:test';
import { publishedSets } from '../../shared/config/sets.js';
import { openDataset } from '../../shared/data/open.js';
import { temporaryFolder } from '../data/temporary.js';

test('what is said of MNIST without having it is what it has', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  for (const set of ['mnist', 'binarised-mnist'] as const) {
    const data = { set, testFraction: 0.1, augment: 'none' } as const;
    const { shape, numClasses, train, test } = await openDataset(data, {
      cacheFolder,
      baseFolder: '.',
      fetch: false,
    });
    assert.deepEqual({ shape, numClasses, numTrain: train.count, numTest: test.count }, publishedSets[set]);
  }
});
