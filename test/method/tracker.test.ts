import assert from 'node:assert/strict';
import test from 'node:test';
import { LossTracker } from '../../shared/method/tracker.js';

test('the first value is taken whole, later ones by a twentieth, each time step by itself', () => {
  const tracker = new LossTracker(4);
  const seen = [10, 20, 20].map((value) => {
    tracker.observe(2, value);
    return tracker.components()[2];
  });
  assert.deepEqual(seen, [10, 10.5, 10.975]);
  tracker.observe(0, 0);
  assert.deepEqual([...tracker.components()], [0, 2, 10.975, 2]);
});

test('an unseen time step counts as that of a uniform model of 8 bits', () => {
  assert.equal(new LossTracker(3072).components()[5]!.toFixed(6), '0.002604');
});
