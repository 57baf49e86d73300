import assert from 'node:assert/strict';
import test from 'node:test';
import { learningRateAt } from '../../shared/method/schedule.js';

test('warm-up is linear from 0 and ends at the learning rate', () => {
  const rates = [0, 1, 2500, 5000, 9000].map((step) =>
    learningRateAt({ learningRate: 5e-4, warmupSteps: 5000 }, step),
  );
  assert.deepEqual(rates, [0, 1e-7, 2.5e-4, 5e-4, 5e-4]);
});

test('without warm-up the rate is constant from the first step', () => {
  assert.equal(learningRateAt({ learningRate: 1e-4, warmupSteps: 0 }, 0), 1e-4);
});
