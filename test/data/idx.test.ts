import assert from 'node:assert/strict';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import { idxImages } from '../../shared/data/idx.js';
import { idxFile, noise } from './archives.js';

test('images come out in order, with their size', () => {
  const pixels = noise(3 * 2 * 5);
  const images = idxImages(idxFile(3, 2, 5, pixels), 'images');
  assert.deepEqual([images.count, images.height, images.width], [3, 2, 5]);
  const into = new Uint8Array(10);
  for (const index of [2, 0, 1]) {
    images.read(index, into);
    assert.deepEqual(into, pixels.slice(index * 10, (index + 1) * 10));
  }
});

test('a file of another format is refused by name', () => {
  const labels = idxFile(3, 2, 5, noise(30));
  labels[3] = 1;
  for (const bytes of [labels, noise(7), new Uint8Array(0)]) {
    assert.throws(
      () => idxImages(bytes, 'some-labels'),
      (error) => error instanceof UserError && /some-labels is no idx file of images/.test(error.message),
    );
  }
});

test('a length that does not fit the header is refused, with both lengths', () => {
  const whole = idxFile(3, 2, 5, noise(30));
  const longer = Buffer.concat([whole, noise(1)]);
  for (const bytes of [whole.subarray(0, 45), longer]) {
    assert.throws(
      () => idxImages(bytes, 'images'),
      (error) =>
        error instanceof UserError &&
        error.message.includes('3 images of 2x5, 46 bytes') &&
        error.message.includes(`it has ${bytes.length}`),
    );
  }
  assert.throws(() => idxImages(idxFile(0, 28, 28, noise(0)), 'images'), /is damaged/);
});
