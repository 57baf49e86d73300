import assert from 'node:assert/strict';
import { test } from 'node:test';
import pico from 'picocolors';
import { clean, count, duration, eventText } from '../../coordinator/event-text.js';
import type { RunEvent } from '../../coordinator/events.js';
import { madeUpRun, stepEvent } from './made-up-run.js';

const plain = pico.createColors(false);

test('what happens in a run is told in words', () => {
  const told = madeUpRun(10).flatMap(([event]) => eventText(event, plain) ?? []);
  assert.deepEqual(told, [
    'training 885,249 parameters for 10 steps of 64 examples in 8 slices',
    'workers join with  ardm-worker --coordinator tcp://127.0.0.1:5670\nlive page          http://127.0.0.1:9464',
    'passed over step-5: truncated\ngoing on from step 0: runs/x/checkpoints/step-0',
    'worker 0 joined: pid 100 on alpha, onnxruntime, cpu',
    'worker 1 joined: pid 101 on beta, onnxruntime, cpu',
    'a worker was refused: the worker runs ardm 0.9',
    'step 10: worker 1 found a gradient of block.0.conv.weight that is not finite',
    'step 10: 3 slices dealt again: worker 1 was lost',
    'step 10: worker 1 holds another state than the coordinator and has to fetch it anew',
    'worker 1 left: silent for 5 s; 1 worker remains',
    'local worker 1 died (SIGKILL) and starts again in 1 s, restart 1',
    'step 10: no checkpoint: no space left on device (ENOSPC)',
    'step 10: test 1.2500 ± 0.0100 bits/dim over 1000 examples in 12 s',
    'step 10: 64 samples, 50 network calls each: runs/x/samples/step-10.png in 3.0 s',
    'step 10: checkpoint runs/x/checkpoints/step-10 14.2 MB in 0.4 s\ncannot remove runs/x/checkpoints/step-5: EACCES',
  ]);
});

test('steps, and messages that a recovery drops, are left to the status and the event log', () => {
  const late: RunEvent = { event: 'dropped', step: 1, slot: 0, message: 'gradient', reason: 'another term' };
  assert.equal(eventText(late, plain), undefined);
  assert.equal(eventText(stepEvent(1), plain), undefined);
});

test('no text of a worker moves the cursor or breaks the line', () => {
  const evil = 'a\x1b[2J\x1b[Hb\r\nc\x07\x9b1Ad';
  const told: RunEvent[] = [
    { event: 'join', step: 0, slot: 0, pid: 1, host: evil, device: evil, incarnation: 1 },
    { event: 'leave', step: 0, slot: 0, pid: 1, reason: evil, members: 0 },
    { event: 'dropped', step: 0, slot: -1, message: 'hello', reason: evil },
    { event: 'nonfinite', step: 0, slot: 0, tensor: evil },
    { event: 'redeal', step: 0, slices: 1, reason: evil },
    { event: 'restart', step: 0, slot: 0, attempt: 1, delaySeconds: 1, reason: evil },
    { event: 'checkpoint-failed', step: 0, reason: evil },
  ];
  for (const event of told) {
    const text = eventText(event, plain)!;
    assert.ok(text.includes('ab c'), text);
    assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f]/, event.event);
  }
  assert.equal(clean(evil), 'ab c d');
});

test('durations have two units at most', () => {
  const expected = new Map([
    [0, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1m 00s'],
    [185, '3m 05s'],
    [3599.6, '1h 00m'],
    [7625, '2h 07m'],
    [86_400 * 3 + 3600 * 4 + 1800, '3d 04h'],
  ]);
  for (const [seconds, text] of expected) assert.equal(duration(seconds), text);
});

test('one is singular', () => {
  assert.deepEqual(
    [0, 1, 2].map((n) => count(n, 'slice')),
    ['0 slices', '1 slice', '2 slices'],
  );
});
