import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import pico from 'picocolors';
import { StatusLine } from '../../coordinator/status-line.js';
import { screenOf, terminal } from './terminal.js';

function show(t: TestContext, columns?: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const out = terminal(columns);
  return { out, status: new StatusLine(out), later: (ms: number) => t.mock.timers.tick(ms) };
}

test('the status is drawn at once, then at most ten times a second, the last one always', (t) => {
  const { out, status, later } = show(t);
  for (let i = 0; i < 50; i++) status.show([`step ${i}`]);
  assert.deepEqual(screenOf(out), ['step 0']);
  later(99);
  assert.deepEqual(screenOf(out), ['step 0']);
  later(1);
  assert.deepEqual(screenOf(out), ['step 49']);
  later(10_000);
  assert.equal(out.written.length, 2, 'a status that did not change is not drawn again');
  status.show(['step 50']);
  assert.deepEqual(screenOf(out), ['step 50']);
});

test('lines that stay are above the status', (t) => {
  const { out, status } = show(t);
  status.show(['step 1']);
  status.print('a checkpoint');
  status.print('a grid');
  assert.deepEqual(screenOf(out), ['a checkpoint', 'a grid', 'step 1']);
});

test('parts that do not fit are left out, the last first; colours take no room', (t) => {
  const { bold } = pico.createColors(true);
  const { out, status, later } = show(t, 20);
  status.show(['step 1', bold('1.25 bits'), '9 examples/s']);
  assert.deepEqual(screenOf(out), [`step 1  ${bold('1.25 bits')}`]);
  status.show(['step 1', '12345678901']);
  later(100);
  assert.deepEqual(screenOf(out), ['step 1  12345678901'], 'the last column stays free');
  status.show(['step 1', '123456789012']);
  later(100);
  assert.deepEqual(screenOf(out), ['step 1']);
  status.show([bold('a first part as long as that')]);
  later(100);
  assert.deepEqual(screenOf(out), ['a first part as lon'], 'cut, so that it never wraps');
});

test('a terminal of unknown width has 80 columns', (t) => {
  const { out, status } = show(t, 0);
  status.show(['a'.repeat(70), 'b'.repeat(7), 'c']);
  assert.deepEqual(screenOf(out), [`${'a'.repeat(70)}  ${'b'.repeat(7)}`]);
});

test('closing takes the status away for good', (t) => {
  const { out, status, later } = show(t);
  status.show(['step 1']);
  status.show(['step 2']);
  status.close();
  const numWritten = out.written.length;
  later(1000);
  assert.equal(out.written.length, numWritten, 'what others write there now is not erased');
  assert.deepEqual(screenOf(out), ['']);
  status.print('done');
  assert.deepEqual(screenOf(out), ['done', '']);
});
