import assert from 'node:assert/strict';
import test from 'node:test';
import { absorbUnknown, rankMask } from '../../shared/method/masks.js';

const order = Int32Array.of(2, 0, 3, 1);
const mask = (begin: number, end: number) => {
  const into = new Uint8Array(4).fill(9);
  rankMask(order, begin, end, into);
  return into;
};

test('known, current, unknown and range masks compare ranks with times', () => {
  assert.deepEqual([...mask(0, 2)], [0, 1, 0, 1], 'known at t = 2');
  assert.deepEqual([...mask(2, 3)], [1, 0, 0, 0], 'current at t = 2');
  assert.deepEqual([...mask(2, 4)], [1, 0, 1, 0], 'to predict at t = 2');
  assert.deepEqual([...mask(1, 3)], [1, 0, 0, 1], 'the range [1, 3)');
  assert.deepEqual([...mask(0, 0)], [0, 0, 0, 0], 'nothing is known at t = 0');
});

test('the network sees known classes and the absorbing one elsewhere', () => {
  const into = new Int32Array(4);
  absorbUnknown(Uint8Array.of(7, 8, 9, 10), mask(0, 2), 128, into);
  assert.deepEqual([...into], [128, 8, 128, 10]);
});
