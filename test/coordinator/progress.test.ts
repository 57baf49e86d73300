import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { eventLine } from '../../coordinator/event-log.js';
import type { RunEvent } from '../../coordinator/events.js';
import { createProgress } from '../../coordinator/progress.js';
import { EXIT } from '../../shared/errors.js';
import { madeUpRun, STARTED_AT, stepEvent } from './made-up-run.js';
import { screenOf, terminal } from './terminal.js';

const PATHS = { checkpoints: 'runs/x/checkpoints', events: 'runs/x/events.jsonl' };

/** Tells these events, and gives what was written. */
function tell(
  events: readonly (readonly [RunEvent, number])[],
  { json = false, isTTY = false, env = {}, next = [] as string[] } = {},
) {
  const [stdout, stderr] = [terminal(), terminal(100, isTTY)];
  const progress = createProgress({ json, paths: PATHS, next }, { stdout, stderr, env });
  for (const [event, time] of events) progress(event, time);
  progress.close();
  return { stdout, stderr, lines: stderr.written.join('').split('\n').slice(0, -1) };
}

const statusOf = (lines: readonly string[]) => lines.filter((line) => /^step \d+\//.test(line));
const endOf = (event: RunEvent, next: string[] = []) => tell([[event, 0]], { next }).lines;

test('off a terminal there are plain lines: events, some of the steps, where things are, what to try next', () => {
  const { lines, stdout } = tell(madeUpRun(10), { next: ['train longer'] });
  assert.deepEqual(lines.slice(0, 12), [
    'training 885,249 parameters for 10 steps of 64 examples in 8 slices',
    'workers join with  ardm-worker --coordinator tcp://127.0.0.1:5670',
    'live page          http://127.0.0.1:9464',
    'passed over step-5: truncated',
    'going on from step 0: runs/x/checkpoints/step-0',
    'step 0/10 (0%)  waiting: 0 of at least 2 workers ready',
    'worker 0 joined: pid 100 on alpha, onnxruntime, cpu',
    'worker 1 joined: pid 101 on beta, onnxruntime, cpu',
    'a worker was refused: the worker runs ardm 0.9',
    'step 1/10 (10%)  3.000 bits/dim  64 examples/s  ETA 9.0 s  2 workers',
    'step 6/10 (60%)  1.225 bits/dim  64 examples/s  ETA 4.0 s  2 workers',
    'step 10/10 (100%)  0.879 bits/dim  evaluating and sampling',
  ]);
  assert.deepEqual(lines.slice(-6), [
    'done at step 10 after 1m 15s, test 1.2500 bits/dim',
    '  samples      runs/x/samples/step-10.png',
    '  checkpoints  runs/x/checkpoints',
    '  events       runs/x/events.jsonl',
    'try next',
    '  train longer',
  ]);
  assert.doesNotMatch(lines.join(''), /[\x00-\x1f]/);
  assert.deepEqual(stdout.written, [], 'standard output stays free');
});

test('a long run has about twenty plain step lines, a slow one a line a minute', () => {
  const [start] = madeUpRun(4000);
  const run = (secondsAStep: number) =>
    Array.from({ length: 4000 }, (_, i) => [stepEvent(i + 1), STARTED_AT + i * 1000 * secondsAStep] as const);
  const fast = statusOf(tell([start!, ...run(0.1)]).lines);
  assert.equal(fast.length, 21);
  assert.match(fast.at(-1)!, /^step 4000\/4000/);
  const slow = statusOf(tell([start!, ...run(30).slice(0, 100)]).lines);
  assert.equal(slow.length, 50);
  const quick = statusOf(tell([start!, ...run(0.002)]).lines);
  assert.equal(quick.length, 3, 'none more often than every 5 s');
});

test('on a terminal the status is one line, below the lines that stay, and gone at the end', () => {
  const run = madeUpRun(10);
  const screen = screenOf(tell(run, { isTTY: true }).stderr).map(stripVTControlCharacters);
  const { lines } = tell(run);
  assert.deepEqual(screen, [...lines.filter((line) => !/^step \d+\//.test(line)), '']);
  const running = screenOf(tell(run.slice(0, 7), { isTTY: true }).stderr);
  assert.equal(running.at(-1), '', 'close takes it away in the middle of a run too');
});

test('colours are for terminals that want them', () => {
  const coloured = (options: { isTTY: boolean; env?: Record<string, string> }) =>
    tell(madeUpRun(), options).stderr.written.join('').includes('\x1b[32m');
  assert.ok(coloured({ isTTY: true }));
  assert.ok(!coloured({ isTTY: true, env: { NO_COLOR: '1' } }));
  assert.ok(!coloured({ isTTY: true, env: { TERM: 'dumb' } }));
  assert.ok(!coloured({ isTTY: false }));
});

test('a dumb terminal gets plain lines', () => {
  const { stderr } = tell(madeUpRun(), { isTTY: true, env: { TERM: 'dumb' } });
  assert.doesNotMatch(stderr.written.join(''), /[\r\x1b]/);
});

test('with json every event is a line on standard output, as in the event log, and nothing else is said', () => {
  const run = madeUpRun();
  const { stdout, stderr } = tell(run, { json: true, isTTY: true });
  assert.deepEqual(
    stdout.written,
    run.map(([event, time]) => eventLine(event, time)),
  );
  assert.deepEqual(stderr.written, []);
});

test('a run that was stopped goes on by the same command; one that failed says why and where the rest is', () => {
  const failed = { event: 'failed', step: 7, reason: 'it\x1b[2J broke', exitCode: EXIT.failure } as const;
  assert.deepEqual(endOf(failed, ['train longer']), [
    'stopped at step 7: it broke',
    '  checkpoints  runs/x/checkpoints',
    '  events       runs/x/events.jsonl',
  ]);
  for (const exitCode of [EXIT.interrupted, EXIT.terminated]) {
    assert.equal(endOf({ ...failed, exitCode }).at(-1), 'the same command goes on from here');
  }
});

test('whoever read the output may be gone: the run goes on', async () => {
  const out = terminal(100, false);
  const progress = createProgress(
    { json: true, paths: PATHS, next: [] },
    { stdout: out, stderr: out, env: {} },
  );
  progress(stepEvent(1), 0);
  out.fail();
  progress(stepEvent(2), 0);
  assert.equal(out.written.length, 1);

  const module = new URL('../../coordinator/progress.js', import.meta.url).href;
  const script = `import { createProgress } from ${JSON.stringify(module)};
    const progress = createProgress({ json: true, paths: {}, next: [] });
    process.stdin.once('data', () => {
      for (let step = 0; step < 100; step++) progress({ event: 'waiting', step, reason: '' }, 0);
      setTimeout(() => process.exit(42), 50);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout.destroy();
  child.stdin.end('go');
  assert.deepEqual(await once(child, 'exit'), [42, null]);
});
