import assert from 'node:assert/strict';
import { test } from 'node:test';
import pico from 'picocolors';
import type { RunEvent } from '../../coordinator/events.js';
import { Pulse } from '../../coordinator/pulse.js';
import { madeUpRun, stepEvent } from './made-up-run.js';

/** The status after these events of a run of 1000 steps of 64 examples. */
function statusAfter(...events: RunEvent[]): string[] {
  const [[start]] = madeUpRun(1000) as [[RunEvent, number]];
  const pulse = new Pulse();
  for (const event of [start, ...events]) pulse.feel(event);
  return pulse.parts(pico.createColors(false));
}

const steps = (first: number, last: number, change: Partial<RunEvent & { event: 'step' }> = {}) =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ ...stepEvent(first + i), ...change }));
const join: RunEvent = { event: 'join', step: 0, slot: 0, pid: 1, host: '', device: '', incarnation: 1 };
const waiting: RunEvent = { event: 'waiting', step: 0, reason: '0 of at least 1 worker ready' };

test('step, loss, rate, time left and workers, the most important first', () => {
  assert.deepEqual(statusAfter(join, ...steps(1, 250, { bitsPerDim: 1.5, seconds: 2 })), [
    'step 250/1000 (25%)',
    '1.500 bits/dim',
    '32 examples/s',
    'ETA 25m 00s',
    '2 workers',
  ]);
});

test('before the first step there is no loss, rate or time left', () => {
  assert.deepEqual(statusAfter(join), ['step 0/1000 (0%)', '1 worker']);
});

test('rate and time left follow the median step: one evaluation in between does not move them', () => {
  const quiet = steps(1, 20, { seconds: 4 });
  const [, , rate, left] = statusAfter(...quiet, { ...stepEvent(21), seconds: 900 });
  assert.equal(rate, '16 examples/s');
  assert.equal(left, 'ETA 1h 05m');
  const [, , slower] = statusAfter(...quiet, ...quiet, ...steps(21, 31, { seconds: 40 }));
  assert.equal(slower, '1.6 examples/s', 'a lasting change does');
  const mixed = [100, 9, 10].map((seconds, i) => ({ ...stepEvent(1 + i), seconds }));
  assert.equal(statusAfter(...mixed)[2], '6.4 examples/s');
});

test('the loss is the mean of the first steps, then a moving average', () => {
  const lossOf = (...events: RunEvent[]) => statusAfter(...events)[1];
  assert.equal(
    lossOf(...steps(1, 1, { bitsPerDim: 6 }), ...steps(2, 3, { bitsPerDim: 3 })),
    '4.000 bits/dim',
  );
  const settled = steps(1, 50, { bitsPerDim: 3 });
  assert.equal(lossOf(...settled, ...steps(51, 51, { bitsPerDim: 8 })), '3.100 bits/dim');
});

test('waiting says for what, until a worker joins or a step is done', () => {
  const told = ['step 0/1000 (0%)', 'waiting: 0 of at least 1 worker ready'];
  assert.deepEqual(statusAfter(waiting), told);
  assert.deepEqual(statusAfter(waiting, join), ['step 0/1000 (0%)', '1 worker']);
  assert.equal(statusAfter(waiting, stepEvent(1)).at(-1), '2 workers');
});

test('workers that leave are no longer counted', () => {
  const leave: RunEvent = { event: 'leave', step: 0, slot: 1, pid: 2, reason: '', members: 1 };
  assert.equal(statusAfter(join, join, leave)[1], '1 worker');
});

test('after the last step the rest is evaluation and samples', () => {
  assert.equal(statusAfter(...steps(1, 1000)).at(-1), 'evaluating and sampling');
});

test('a run that stops says so and nothing else', () => {
  const stopping: RunEvent = { event: 'stopping', step: 3, reason: 'SIGINT' };
  assert.deepEqual(statusAfter(...steps(1, 3), stopping), ['step 3/1000 (0%)', 'stopping']);
});

test('the end is told with the last evaluation, if there was one', () => {
  const pulse = new Pulse();
  assert.equal(pulse.finalLoss(), '');
  for (const [event] of madeUpRun()) pulse.feel(event);
  assert.equal(pulse.finalLoss(), ', test 1.2500 bits/dim');
});
