import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../shared/errors.js';
import { augment, checkAugmentation, flip, rotate } from '../../shared/data/augment.js';
import { noise } from './archives.js';

test('a flip mirrors left and right and keeps channels together', () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  flip(image, [2, 2, 3]);
  assert.deepEqual([...image], [4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
});

test('a flip works on images that are not square', () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6);
  flip(image, [2, 3, 1]);
  assert.deepEqual([...image], [3, 2, 1, 6, 5, 4]);
});

test('a quarter turn is counter-clockwise, four are none', () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  rotate(image, [3, 3, 1], 1);
  assert.deepEqual([...image], [3, 6, 9, 2, 5, 8, 1, 4, 7]);
  rotate(image, [3, 3, 1], 3);
  assert.deepEqual([...image], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('two quarter turns are half a turn, channels kept together', () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  rotate(image, [2, 2, 2], 2);
  assert.deepEqual([...image], [7, 8, 5, 6, 3, 4, 1, 2]);
});

const SHAPE = [4, 4, 1] as const;
const original = noise(16);
const augmented = (mode: 'none' | 'flip' | 'flip-rotate', step: number, position: number) => {
  const image = original.slice();
  augment(image, SHAPE, mode, { seed: 3, step, position });
  return image.join();
};

test('none leaves an example as it is', () => {
  assert.equal(augmented('none', 0, 0), original.join());
});

test('flip gives both images, each about half of the time', () => {
  const images = Array.from({ length: 1000 }, (_, i) => augmented('flip', i, 7));
  assert.equal(new Set(images).size, 2);
  const kept = images.filter((image) => image === original.join()).length;
  assert.ok(Math.abs(kept - 500) < 4 * Math.sqrt(250), `${kept} of 1000 kept`);
});

test('flip-rotate gives all eight images, each about as often', () => {
  const counts = new Map<string, number>();
  for (let position = 0; position < 4000; position++) {
    const image = augmented('flip-rotate', 11, position);
    counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  assert.equal(counts.size, 8);
  for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 4 * Math.sqrt(4000 / 8), `${count}`);
});

test('the draw is a function of seed, step and position', () => {
  const draws = (step: number) =>
    Array.from({ length: 64 }, (_, position) => augmented('flip-rotate', step, position));
  assert.deepEqual(draws(5), draws(5));
  assert.notDeepEqual(draws(5), draws(6));
});

test('a rotation of images that are not square is a usage error', () => {
  assert.throws(() => checkAugmentation('flip-rotate', [28, 32, 1]), UsageError);
  checkAugmentation('flip', [28, 32, 1]);
  assert.throws(
    () => augment(noise(12), [3, 4, 1], 'flip-rotate', { seed: 0, step: 0, position: 0 }),
    /square images, and these are 3x4/,
  );
});
