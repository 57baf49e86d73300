import assert from 'node:assert/strict';
import test from 'node:test';
import { StepClock } from '../../coordinator/step-clock.js';

test('the time of a step is split at its first and its last gradient', () => {
  const clock = new StepClock(0);
  clock.begin(1000);
  for (const now of [3000, 3200, 3500]) clock.arrive(now);
  assert.deepEqual(clock.read(0.1, 4000, 4250), {
    seconds: 3,
    phases: { compute: 2, upload: 0.5, reduce: 0.1, publish: 0.25 },
  });
});

test('a step whose gradients came before it began has no negative phase', () => {
  const clock = new StepClock(0);
  clock.arrive(100);
  clock.begin(500);
  assert.deepEqual(clock.read(0, 700, 700), {
    seconds: 0.2,
    phases: { compute: 0.2, upload: 0, reduce: 0, publish: 0 },
  });
});
