import assert from 'node:assert/strict';
import test from 'node:test';
import {
  gradientBytes,
  gradientIn,
  readStamped,
  stampGradient,
} from '../../shared/exchange/gradient-buffer.js';

const NUM_PARAMETERS = 16_384;
const buffer = () => new SharedArrayBuffer(gradientBytes(NUM_PARAMETERS));

test('a buffer is whole pages with room for the stamp', () => {
  assert.equal(gradientBytes(1), 65_536);
  assert.equal(gradientBytes(16_383), 65_536);
  assert.equal(gradientBytes(16_384), 2 * 65_536);
});

function write(shared: SharedArrayBuffer, values: Float32Array, stamp: number): void {
  stampGradient(shared, NUM_PARAMETERS, 0);
  gradientIn(shared, NUM_PARAMETERS).set(values);
  stampGradient(shared, NUM_PARAMETERS, stamp);
}

test('what was written with a stamp is read with it', () => {
  const written = Float32Array.from({ length: NUM_PARAMETERS }, (_, i) => i / 8);
  const read = new Float32Array(NUM_PARAMETERS);
  const shared = buffer();
  write(shared, written, 7);
  assert.equal(readStamped(shared, read, 7), true);
  assert.deepEqual(read, written);
});

test('who comes after the next one was written, or while it is, is told', () => {
  const read = new Float32Array(NUM_PARAMETERS);
  const shared = buffer();
  write(shared, read, 7);
  stampGradient(shared, NUM_PARAMETERS, 0);
  assert.equal(readStamped(shared, read, 7), false);
  write(shared, read, 8);
  assert.equal(readStamped(shared, read, 7), false);
  assert.equal(readStamped(shared, read, 8), true);
});

test('the stamp is no part of the gradient', () => {
  const shared = buffer();
  write(shared, new Float32Array(NUM_PARAMETERS).fill(1), 2 ** 31 - 1);
  assert.ok(gradientIn(shared, NUM_PARAMETERS).every((value) => value === 1));
});
