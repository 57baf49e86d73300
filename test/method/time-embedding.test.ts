import assert from 'node:assert/strict';
import test from 'node:test';
import { embedTimeStep } from '../../shared/method/time-embedding.js';

const embed = (timeStep: number, numSteps: number, width: number) => {
  const into = new Float32Array(width);
  embedTimeStep(timeStep, numSteps, into);
  return into;
};
const assertClose = (actual: Float32Array, expected: readonly number[]) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 6e-7, `${actual}`));

test('the time embedding has the known values, sines first', () => {
  assertClose(
    embed(3, 10, 8),
    [-0.999756, 0.977528, 0.602261, 0.029996, -0.022097, 0.210807, 0.798299, 0.99955],
  );
  assertClose(embed(1, 4, 4), [-0.970528, 0.024997, 0.240988, 0.999688]);
  const wide = embed(1536, 3072, 256);
  assertClose(Float32Array.of(wide[0]!, wide[128]!), [-0.467772, -0.883849]);
});

test('time step 0 is zeros, then ones', () => {
  assert.deepEqual([...embed(0, 3072, 8)], [0, 0, 0, 0, 1, 1, 1, 1]);
});
