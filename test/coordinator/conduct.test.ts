import assert from 'node:assert/strict';
import test from 'node:test';
import { Conduct } from '../../coordinator/conduct.js';

/** For how many milliseconds someone with so many faults, all at time 0, stays out. */
function outMs(numFaults: number): number {
  const conduct = new Conduct();
  for (let i = 0; i < numFaults; i++) conduct.fault('a', 0);
  let milliseconds = 0;
  while (conduct.isOut('a', milliseconds)) milliseconds += 500;
  return milliseconds;
}

test('a few faults are forgiven at once, more keep out for longer and longer, up to a minute', () => {
  assert.deepEqual([0, 1, 3, 4, 5, 6, 12].map(outMs), [0, 0, 0, 2000, 4000, 8000, 60_000]);
});

test('a fault is forgotten each minute', () => {
  const conduct = new Conduct();
  for (let i = 0; i < 3; i++) conduct.fault('a', 0);
  conduct.fault('a', 60_000);
  assert.ok(!conduct.isOut('a', 60_000), 'two of before and this one');
  conduct.fault('a', 60_000);
  assert.ok(conduct.isOut('a', 60_000));
});

test('others are not concerned', () => {
  const conduct = new Conduct();
  for (let i = 0; i < 9; i++) conduct.fault('a', 0);
  assert.ok(conduct.isOut('a', 0) && !conduct.isOut('b', 0));
});
