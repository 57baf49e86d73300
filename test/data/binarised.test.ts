import assert from 'node:assert/strict';
import test from 'node:test';
import { binarised } from '../../shared/data/binarised.js';
import type { Split } from '../../shared/data/dataset.js';

const SIZE = 10_000;
const grey = (value: number): Split => ({ count: 3, read: (_index, into) => into.fill(value) });
const read = (split: Split, index: number) => {
  const into = new Uint8Array(SIZE);
  split.read(index, into);
  return into;
};
const ones = (image: Uint8Array) => image.reduce((sum, value) => sum + value, 0);

test('black stays 0 and white becomes 1, always', () => {
  assert.equal(ones(read(binarised(grey(0), 0), 0)), 0);
  assert.equal(ones(read(binarised(grey(255), 0), 0)), SIZE);
});

test('a grey pixel is 1 with the probability of its intensity', () => {
  for (const value of [1, 64, 128, 254]) {
    const p = value / 255;
    const count = ones(read(binarised(grey(value), 0), 1));
    assert.ok(
      Math.abs(count - SIZE * p) < 4 * Math.sqrt(SIZE * p * (1 - p)),
      `${count} of ${SIZE} for ${value}`,
    );
  }
});

test('an image is the same at every reading, and differs from image to image and split to split', () => {
  const [train, test] = [binarised(grey(128), 0), binarised(grey(128), 1)];
  assert.deepEqual(read(train, 2), read(train, 2));
  assert.notDeepEqual(read(train, 2), read(train, 1));
  assert.notDeepEqual(read(train, 2), read(test, 2));
});
