import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from 'fast-png';
import { encodeGrid } from '../../shared/render/grid.js';
import { noise } from '../data/archives.js';

test('small images are enlarged by a whole number and set apart by a gap', () => {
  const images = Uint8Array.of(0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0);
  const png = decode(encodeGrid(images, [2, 2, 1], 2, 2));
  const cell = 96 + 2;
  assert.deepEqual([png.width, png.height, png.channels, png.depth], [2 * cell + 2, 2 * cell + 2, 1, 8]);
  const at = (y: number, x: number) => png.data[y * png.width + x];
  assert.equal(at(0, 0), 128, 'gap');
  assert.deepEqual([at(2, 2), at(49, 49), at(2, 50), at(97, 97)], [0, 0, 255, 0], 'first image');
  assert.equal(at(98, 98), 128, 'gap between');
  assert.deepEqual([at(2, 100), at(97, 195)], [255, 255], 'second image');
  assert.deepEqual([at(100, 2), at(195, 97)], [0, 0], 'third image, in the second row');
  assert.equal(at(150, 150), 128, 'no fourth image');
});

test('values of 256 classes and three channels are kept', () => {
  const images = noise(96 * 48 * 3);
  const png = decode(encodeGrid(images, [96, 48, 3], 256, 1));
  assert.deepEqual([png.width, png.height, png.channels], [52, 100, 3]);
  const row = (y: number) => [...png.data.subarray(((y + 2) * 52 + 2) * 3, ((y + 2) * 52 + 50) * 3)];
  for (const y of [0, 50, 95]) assert.deepEqual(row(y), [...images.subarray(y * 144, (y + 1) * 144)]);
});

test('images larger than what is aimed at are not shrunk', () => {
  assert.equal(decode(encodeGrid(noise(200 * 100), [100, 200, 1], 256, 1)).width, 204);
});

test('classes are spread over the whole range', () => {
  const png = decode(encodeGrid(Uint8Array.of(0, 1, 2, 3), [1, 4, 1], 4, 1));
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => png.data[2 * png.width + 2 + i * 24]),
    [0, 85, 170, 255],
  );
});
