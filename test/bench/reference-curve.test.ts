import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedRange, readReferenceCurve } from '../../bench/reference-curve.js';

const NUM_VARIABLES = 28 * 28;

test('each recorded draw is a permutation of the pixels and one of their steps', () => {
  const { orders, timeSteps } = readReferenceCurve();
  assert.equal(orders.length, timeSteps.length * NUM_VARIABLES);
  for (const [example, timeStep] of timeSteps.entries()) {
    const row = orders.subarray(example * NUM_VARIABLES, (example + 1) * NUM_VARIABLES);
    assert.deepEqual(
      [...row].sort((a, b) => a - b),
      [...Array(NUM_VARIABLES).keys()],
    );
    assert.ok(timeStep >= 0 && timeStep < NUM_VARIABLES);
  }
});

test('every seed of the original has a value at each recorded step', () => {
  const { steps, testNelbo } = readReferenceCurve();
  for (const curve of testNelbo) assert.equal(curve.length, steps.length);
});

test('the accepted range is the wider one of the spread and the margin about the mean', () => {
  assert.deepEqual(acceptedRange([1, 2, 1.5], 0.25), [1, 2]);
  assert.deepEqual(acceptedRange([1, 1.25], 0.25), [0.875, 1.375]);
});
