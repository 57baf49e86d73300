import assert from 'node:assert/strict';
import test from 'node:test';
import { createHistory, observe, type History } from '../../shared/page/history.js';
import { LoggedEvent } from '../../shared/page/logged-event.js';
import { progressOf } from '../../shared/page/progress.js';
import { BEGIN, join, line, parsed, START, stepLine, stepLines } from './made-up-run.js';

function historyOf(...lines: readonly string[]): History {
  const history = createHistory();
  for (const each of lines) observe(history, parsed(each));
  return history;
}

const progress = (history: History, live = true, now = BEGIN) => progressOf(history, live, now);

test('a run that trains tells loss, speed, time left and where the time goes', () => {
  const told = progress(historyOf(line('start', 0, START), join(0), ...stepLines(1, 40)));
  assert.deepEqual(
    { ...told, bitsPerDim: undefined },
    {
      ...{ state: 'training', step: 40, steps: 100, epoch: 0.8, bitsPerDim: undefined },
      ...{ examplesPerSecond: 16, etaSeconds: 30, startedAt: BEGIN, lastEventAt: BEGIN + 40_000 },
      phases: { compute: 0.3, upload: 0.1, reduce: 0.05, publish: 0.05 },
    },
  );
  assert.ok(Math.abs(told.bitsPerDim! - 1.107) < 0.001);
});

test('states follow the events: starting, waiting, training, finishing, done', () => {
  const history = createHistory();
  const after = (...lines: readonly string[]) => {
    for (const each of lines) observe(history, parsed(each));
    const { state, reason } = progress(history);
    return reason === undefined ? state : `${state}: ${reason}`;
  };
  assert.equal(after(line('start', 0, { ...START, steps: 2 })), 'starting');
  assert.equal(after(line('waiting', 0, { reason: '0 of 1' })), 'waiting: 0 of 1');
  assert.equal(after(join(0), stepLine(1)), 'training');
  assert.equal(after(stepLine(2)), 'finishing');
  assert.equal(after(line('done', 2)), 'done');
  assert.equal(after(line('start', 2, { ...START, steps: 4 }), stepLine(3)), 'training');
  assert.equal(after(line('stopping', 3, { reason: 'SIGINT' })), 'stopping: SIGINT');
  assert.equal(after(line('failed', 3, { reason: 'SIGINT', exitCode: 130 })), 'failed: SIGINT');
});

test('a log without an end is silent after two minutes, unless its coordinator is there', () => {
  const history = historyOf(line('start', 0, START), stepLine(1));
  const later = BEGIN + 200_000;
  assert.equal(progress(history, false, BEGIN + 60_000).state, 'training');
  assert.equal(progress(history, false, later).state, 'silent');
  assert.equal(progress(history, true, later).state, 'training');
});

test('workers are those that joined and did not leave, by slot', () => {
  const history = historyOf(
    line('start', 0, START),
    join(2),
    join(0),
    join(1),
    line('leave', 3, { slot: 0 }),
    join(1),
  );
  assert.deepEqual(
    history.workers.map(({ slot }) => slot),
    [1, 2],
  );
  observe(history, parsed(line('start', 3, START)));
  assert.deepEqual(history.workers, []);
});

test('steps that are trained again after a restart replace the former, with the evaluations among them', () => {
  const evaluation = (step: number, bitsPerDim: number) =>
    line('evaluation', step, { split: 'test', bitsPerDim, standardError: 0.1 });
  const history = historyOf(
    ...[line('start', 0, START), ...stepLines(1, 5), evaluation(5, 3), ...stepLines(6, 8), evaluation(8, 2)],
    ...[line('start', 5, START), line('resume', 5, { checkpoint: 'x', skipped: [] }), stepLine(6, 9)],
  );
  assert.deepEqual(history.curve.steps, [1, 2, 3, 4, 5, 6]);
  assert.equal(history.curve.bitsPerDim[5], 9);
  assert.deepEqual(
    history.tests.map(({ step }) => step),
    [5],
  );
  observe(history, parsed(evaluation(5, 1)));
  assert.deepEqual(history.tests, [{ step: 5, bitsPerDim: 1, standardError: 0.1 }]);
});

test('what grows without end is kept in part: the newest events and checkpoints, every other evaluation', () => {
  const history = createHistory();
  for (let step = 1; step <= 3000; step++) {
    observe(history, parsed(line('evaluation', step, { bitsPerDim: 1, standardError: 0 })));
    observe(history, parsed(line('checkpoint', step, { path: `/r/checkpoints/step-${step}`, bytes: 7 })));
  }
  assert.equal(history.numEvents, 6000);
  assert.ok(history.events.length <= 200 && history.checkpoints.length <= 50 && history.tests.length <= 1000);
  assert.deepEqual([history.checkpoints.at(-1)!.name, history.tests.at(-1)!.step], ['step-3000', 3000]);
});

test('an event is told by its fields, whatever version wrote it', () => {
  const text = (event: string) => historyOf(event).events[0]!.text;
  assert.equal(text(join(0)), 'slot 0, pid 4711, host atlas, device a device');
  assert.equal(
    text(
      line('from-the-future', 1, { numThings: 2, sha256: 'a'.repeat(64), inner: { x: 1 }, list: ['a', 'b'] }),
    ),
    'num things 2, sha256 aaaaaaaaaaaa, list a; b',
  );
  assert.equal(text(line('x', 1, { reason: 'y'.repeat(10_000) })).length, 300);
});

test('what is no event is none, and a step without its figures is damage', () => {
  for (const bad of ['', '{"time":', 'null', '[]', '{"event":"step"}', line('step', -1), line('step', 1.5)])
    assert.equal(LoggedEvent.parse(bad), undefined, bad);
  const history = historyOf(line('step', 3, { bitsPerDim: null }));
  assert.deepEqual([history.numDamaged, history.step], [1, 0]);
});
