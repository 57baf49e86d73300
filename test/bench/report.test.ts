import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeast, atMost, describeMachine, formatReport, summarize, within } from '../../bench/report.js';

test('the median lies between the two middle values of an even count', () => {
  assert.deepEqual(summarize([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4, count: 4 });
  assert.deepEqual(summarize([5, 1, 3]), { median: 3, min: 1, max: 5, count: 3 });
  assert.throws(() => summarize([]), /nothing was measured/);
});

test('a limit itself meets the target, beyond it misses', () => {
  assert.equal(atLeast('speed', 1.2, 1.2).verdict, 'met');
  assert.equal(atLeast('speed', 1.2, 1.199).verdict, 'missed');
  assert.equal(atMost('memory', 1, 1).verdict, 'met');
  assert.equal(atMost('memory', 1, 1.001).verdict, 'missed');
  assert.equal(within('nelbo', [1.1, 1.2], 1.2).verdict, 'met');
  assert.equal(within('nelbo', [1.1, 1.2], 1.3).verdict, 'missed');
});

test('what is not a number or has no peer is never met', () => {
  assert.equal(atLeast('speed', 1.2, undefined).verdict, 'not run');
  assert.equal(atMost('memory', 1, undefined).verdict, 'not run');
  assert.equal(atLeast('speed', 1.2, NaN).verdict, 'missed');
  assert.equal(within('nelbo', [1.1, 1.2], NaN).verdict, 'missed');
});

test('the table shows medians with their spread and says what was not run', () => {
  const text = formatReport({
    bench: 'engine',
    command: 'npm run bench -- engine',
    startedAt: '2020-01-01T00:00:00.000Z',
    machine: describeMachine(),
    method: ['steps alternate'],
    rows: [{ size: 'a', 'ours s': summarize([0.25, 0.5, 0.75]), 'torch s': undefined }],
    targets: [atLeast('speed at a', 1, undefined)],
    notes: ['PyTorch is absent'],
  });
  assert.match(text, /^size +ours s +torch s$/m);
  assert.match(text, /^a +0\.500 \(0\.250-0\.750\) +-$/m);
  assert.match(text, /^speed at a +>= 1 +- +not run$/m);
  assert.match(text, /PyTorch is absent/);
});
