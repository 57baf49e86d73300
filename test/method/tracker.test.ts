import assert from 'node:assert/strict';
import test from 'node:test';
import { boundOf } from '../../shared/method/bound.js';
import { LossTracker } from '../../shared/method/tracker.js';

const unseen = (numSteps: number) => new Float64Array(numSteps).fill(NaN);

test('the first value is taken whole, later ones by a twentieth, each time step by itself', () => {
  const tracker = new LossTracker(unseen(4));
  const seen = [10, 20, 20].map((value) => {
    tracker.observe(2, value);
    return tracker.components()[2];
  });
  assert.deepEqual(seen, [10, 10.5, 10.975]);
  tracker.observe(0, 0);
  assert.deepEqual([...tracker.components()], [0, 2, 10.975, 2]);
});

test('an unseen time step counts as that of a uniform model of 8 bits', () => {
  assert.equal(new LossTracker(unseen(3072)).components()[5]!.toFixed(6), '0.002604');
});

test('what it has seen lies in the given array, and another tracker goes on from there', () => {
  const values = unseen(3);
  new LossTracker(values).observe(1, 0);
  assert.deepEqual(values, Float64Array.of(NaN, 0, NaN));
  new LossTracker(values).observe(1, 2);
  assert.deepEqual(values, Float64Array.of(NaN, 0.1, NaN));
});

test('a batch is observed one example after another, each by its share of the bound', () => {
  const process = { numVariables: 6, numPositions: 6, numStages: 2 };
  const [timeSteps, nats] = [
    [7, 3, 7, 0],
    [-1.5, -2.25, -9, -30],
  ];
  const expected = unseen(12);
  const one = new LossTracker(expected);
  timeSteps.forEach((step, i) => one.observe(step, -boundOf(nats[i]!, step, process).elboOfT));
  const values = unseen(12);
  new LossTracker(values).observeBatch(timeSteps, nats, process);
  assert.deepEqual(values, expected);
  assert.equal(values[3], 2.25 / (6 * Math.LN2) / 3);

  const reversed = unseen(12);
  new LossTracker(reversed).observeBatch(timeSteps.toReversed(), nats.toReversed(), process);
  assert.notEqual(reversed[7], values[7]);
});
