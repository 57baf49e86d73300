import assert from 'node:assert/strict';
import test from 'node:test';
import { WorkTimes } from '../../coordinator/work-times.js';

test('a worker is busy with its slices from when it could begin until their sum is there', () => {
  const times = new WorkTimes();
  times.deal(0, 0, 0, 3, 1000);
  times.deal(0, 1, 3, 8, 1000);
  // A step ahead.
  times.deal(1, 0, 0, 8, 1500);
  times.arrive(0, 1, 4, 8, 2000);
  times.arrive(0, 0, 0, 2, 2500);
  times.arrive(0, 0, 2, 3, 3000);
  times.arrive(0, 1, 3, 4, 3500);
  assert.deepEqual(times.take(0, 1000), [
    { slot: 1, begin: 4, end: 8, dealt: 0, from: 0, to: 1 },
    { slot: 0, begin: 0, end: 2, dealt: 0, from: 0, to: 1.5 },
    { slot: 0, begin: 2, end: 3, dealt: 0, from: 1.5, to: 2 },
    { slot: 1, begin: 3, end: 4, dealt: 0, from: 1, to: 2.5 },
  ]);
  times.arrive(1, 0, 0, 8, 5000);
  assert.deepEqual(times.take(1, 4000), [{ slot: 0, begin: 0, end: 8, dealt: -2.5, from: 0, to: 1 }]);
});

test('slices that were dealt again are those of whoever brought their sum', () => {
  const times = new WorkTimes();
  times.deal(0, 0, 0, 4, 0);
  times.deal(0, 1, 4, 8, 0);
  times.arrive(0, 0, 0, 4, 1000);
  times.deal(0, 0, 4, 8, 5000);
  times.arrive(0, 0, 4, 8, 6000);
  assert.deepEqual(times.take(0, 0), [
    { slot: 0, begin: 0, end: 4, dealt: 0, from: 0, to: 1 },
    { slot: 0, begin: 4, end: 8, dealt: 5, from: 5, to: 6 },
  ]);
});

test('what is told of a step is bounded, and a step that was told is forgotten', () => {
  const times = new WorkTimes();
  for (let slice = 0; slice < 2000; slice++) {
    times.deal(0, slice, slice, slice + 1, 0);
    times.arrive(0, slice, slice, slice + 1, 1);
  }
  assert.equal(times.take(0, 0).length, 1024);
  assert.deepEqual(times.take(0, 0), []);
  times.arrive(0, 0, 0, 1, 2);
  assert.deepEqual(times.take(0, 0), []);
});
