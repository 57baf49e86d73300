import assert from 'node:assert/strict';
import test from 'node:test';
import { rankMask } from '../../shared/method/masks.js';

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
