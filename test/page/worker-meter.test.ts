import assert from 'node:assert/strict';
import test from 'node:test';
import { WorkerMeter } from '../../shared/page/worker-meter.js';

const member = (slot: number, slices: number, more: object = {}) => ({
  ...{ slot, slices, ready: true, step: 5, silentSeconds: 0.25, sliceSeconds: 1, ...more },
});

test('speed and share are those of the last half minute', () => {
  const meter = new WorkerMeter();
  for (let second = 0; second <= 60; second++) {
    // The second worker is three times as fast from the 30th second on.
    const fast = second < 30 ? second : 30 + 3 * (second - 30);
    meter.take([member(1, fast), member(0, second)], second * 1000);
  }
  const now = [member(1, 120), member(0, 60)];
  assert.deepEqual(
    meter
      .read(now, 6, 2)
      .map(({ slot, examplesPerSecond, share, lag }) => [slot, examplesPerSecond, share, lag]),
    [
      [0, 2, 0.25, 1],
      [1, 6, 0.75, 1],
    ],
  );
});

test('one that joined anew in a slot counts from then on; nothing is known at first', () => {
  const meter = new WorkerMeter();
  meter.take([member(0, 500)], 0);
  assert.deepEqual(meter.read([member(0, 500, { ready: false })], 6, 2), [
    { slot: 0, state: 'receiving the state', lag: 0, silentSeconds: 0.3 },
  ]);
  meter.take([member(0, 10)], 10_000);
  assert.equal(meter.read([member(0, 10)], 6, 2)[0]!.examplesPerSecond, 2);
});
