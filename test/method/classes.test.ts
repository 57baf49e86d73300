import assert from 'node:assert/strict';
import test from 'node:test';
import { allocateClasses, bytesOf, bytesPerVariable, classesFrom } from '../../shared/method/classes.js';

test('up to 256 classes take a byte each, more take two', () => {
  assert.deepEqual([2, 256, 257, 65_536].map(bytesPerVariable), [1, 1, 2, 2]);
  const classes = allocateClasses(65_536, 2);
  classes.set([65_535, 7]);
  assert.deepEqual([...classes], [65_535, 7]);
});

test('classes come back from their bytes, which are little-endian and may lie at an odd place', () => {
  const classes = Uint16Array.of(256, 1, 65_535);
  assert.deepEqual([...bytesOf(classes)], [0, 1, 1, 0, 255, 255]);
  const message = Uint8Array.of(9, ...bytesOf(classes));
  assert.deepEqual(classesFrom(message.subarray(1), 65_536), classes);
  assert.deepEqual(classesFrom(Uint8Array.of(3, 4), 256), Uint8Array.of(3, 4));
});

test('aligned bytes are shared', () => {
  const bytes = new Uint8Array(4);
  classesFrom(bytes, 257)[1] = 3;
  assert.deepEqual([...bytes], [0, 0, 3, 0]);
});
