import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { join, line, log, START, stepLine, stepLines } from '../page/made-up-run.js';

interface Traced {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly s?: string;
  readonly args: Record<string, unknown>;
}

/** Holds a file against the rules of the Trace Event Format, and returns its events. */
function readTrace(file: string): Traced[] {
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: Traced[] };
  const ends = new Map<string, number>();
  for (const event of traceEvents) {
    const { name, ph, pid, tid, ts, dur, s, args } = event;
    const wrong = JSON.stringify(event);
    assert.equal(typeof name, 'string', wrong);
    assert.ok(Number.isInteger(pid) && Number.isInteger(tid), wrong);
    if (ph !== 'M') assert.ok(Number.isFinite(ts) && ts >= 0, wrong);
    switch (ph) {
      case 'X': {
        assert.ok(Number.isFinite(dur) && dur >= 0, wrong);
        // Slices of one track lie within each other or beside each other.
        assert.ok(ts >= (ends.get(`${pid}/${tid}`) ?? 0), `overlaps the one before: ${wrong}`);
        ends.set(`${pid}/${tid}`, ts + dur);
        break;
      }
      case 'i':
        assert.ok(['g', 'p', 't'].includes(s!), wrong);
        break;
      case 'C':
        assert.ok(Object.values(args).every(Number.isFinite), wrong);
        break;
      default:
        assert.equal(ph, 'M', wrong);
        assert.match(name, /^(process|thread)_(name|sort_index)$/);
    }
  }
  return traceEvents;
}

/** The slices of the track whose title begins so, as [name, begin, end] in milliseconds. */
function slices(events: readonly Traced[], title: string): [string, number, number][] {
  const { pid, tid } = events.find(
    ({ name, args }) => name === 'thread_name' && String(args.name).startsWith(title),
  )!;
  return events
    .filter((event) => event.ph === 'X' && event.pid === pid && event.tid === tid)
    .map(({ name, ts, dur }) => [name, ts / 1000, (ts + dur) / 1000]);
}

async function timeline(t: TestContext, home: string, ...args: readonly string[]) {
  const command = new Command(t, 'cli', ['timeline', ...args], { cwd: home });
  return { exitCode: await command.exit(), stdout: command.stdout, stderr: command.stderr };
}

const WORK = [
  { slot: 0, begin: 0, end: 2, dealt: -0.2, from: 0, to: 0.3 },
  { slot: 1, begin: 2, end: 4, dealt: -0.2, from: 0, to: 0.4 },
];

test('steps, phases, workers and what else happened are tracks of one timeline', async (t) => {
  const home = await temporaryFolder(t);
  const withWork = (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), work: WORK });
  const run = path.join(home, 'run');
  log(run, line('start', 0, START), join(0), join(1), withWork(stepLine(1)));
  renameSync(path.join(run, 'events.jsonl'), path.join(run, 'events.1.jsonl')); // full
  log(
    run,
    ...stepLines(2, 3).map(withWork),
    line('redeal', 3, { slices: 2, reason: 'worker 1 was lost' }),
    line('leave', 3, { slot: 1, pid: 4712, reason: 'silent for 5 s', members: 1 }),
    line('evaluation', 3, { split: 'test', bitsPerDim: 1, standardError: 0, examples: 5, seconds: 0.25 }),
    line('checkpoint', 3, { path: 'x', seconds: 0.125 }),
    '{"time":"2026-01-02T03:04',
  );
  const { exitCode, stdout, stderr } = await timeline(t, home, 'run');
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^run\/timeline\.json: 3 steps; .*ui\.perfetto\.dev\n$/);
  assert.equal(stderr, '');
  const events = readTrace(path.join(home, 'run/timeline.json'));
  // The first step is told after 1 s; 0.05 s of it is publication, and it began 0.5 s before that.
  assert.deepEqual(slices(events, 'steps'), [
    ['step 1', 450, 950],
    ['step 2', 1450, 1950],
    ['step 3', 2450, 2950],
  ]);
  assert.deepEqual(slices(events, 'phases').slice(0, 3), [
    ['compute', 450, 750],
    ['upload', 750, 850],
    ['reduce', 900, 950],
  ]);
  assert.deepEqual(slices(events, 'publication')[0], ['publish', 950, 1000]);
  assert.deepEqual(slices(events, 'evaluation'), [['evaluation', 2750, 3000]]);
  assert.deepEqual(slices(events, 'checkpoints'), [['checkpoint', 2875, 3000]]);
  assert.deepEqual(slices(events, 'worker 1: atlas, a device').slice(0, 2), [
    ['step 1', 450, 850],
    ['step 2', 1450, 1850],
  ]);
  const instants = events.filter(({ ph }) => ph === 'i').map(({ name, pid, tid }) => [name, pid, tid]);
  assert.deepEqual(instants, [
    ['start', 1, 16],
    ['join', 2, 100],
    ['join', 2, 101],
    ['redeal', 1, 16],
    ['leave', 2, 101],
  ]);
});

test('a part of a run is drawn by its steps, with the names of who joined before', async (t) => {
  const home = await temporaryFolder(t);
  log(path.join(home, 'run'), line('start', 0, START), join(0), ...stepLines(1, 9));
  for (const [steps, names] of [
    ['4:5', ['step 4', 'step 5']],
    [':2', ['step 1', 'step 2']],
    ['9:', ['step 9']],
  ] as const) {
    const { exitCode, stdout, stderr } = await timeline(t, home, 'run', '--steps', steps, '-o', 'part.json');
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^part\.json: /);
    assert.match(stderr, /no times by worker: train with --set trackers\.timeline=true/);
    const events = readTrace(path.join(home, 'part.json'));
    assert.deepEqual(
      slices(events, 'steps').map(([name]) => name),
      names,
    );
    assert.ok(events.some(({ args }) => args?.name === 'worker 0: atlas, a device'));
  }
});

test('steps that were taken again, and clocks that went back, overlap nowhere', async (t) => {
  const home = await temporaryFolder(t);
  const earlier = stepLine(3).replace('"seconds":0.5', '"seconds":2.5');
  log(
    path.join(home, 'run'),
    ...[...stepLines(1, 3), earlier, line('start', 1, START), ...stepLines(2, 4)],
    line('evaluation', 4, { bitsPerDim: 1, seconds: 1000 }),
    line('step', 5, { seconds: 'x', bitsPerDim: null, phases: 7, work: [null, 3, { slot: 'a' }] }),
  );
  const { exitCode, stderr } = await timeline(t, home, 'run');
  assert.equal(exitCode, 0, stderr);
  const steps = slices(readTrace(path.join(home, 'run/timeline.json')), 'steps');
  assert.deepEqual(
    steps.map(([name]) => name),
    ['step 1', 'step 2', 'step 3', 'step 3', 'step 2', 'step 3', 'step 4'],
  );
});

test('what is no run, no range or no place to write to is told in a line, and leaves nothing', async (t) => {
  const home = await temporaryFolder(t);
  log(path.join(home, 'run'), ...stepLines(1, 2));
  writeFileSync(path.join(home, 'file'), '');
  for (const [args, exitCode, told] of [
    [['nowhere'], 1, /^ardm: nowhere has no events\.jsonl, .*\n$/],
    [['run', '--steps', '5'], 2, /^ardm: .*'--steps <first:last>'.*FIRST:LAST.*\n$/],
    [['run', '--steps', '5:4'], 2, /^ardm: .*FIRST:LAST.*\n$/],
    [['run', '-o', 'file/x.json'], 1, /^ardm: can't write file\/x\.json: .*ENOTDIR.*\n$/],
  ] as const) {
    const { stderr, ...ended } = await timeline(t, home, ...args);
    assert.deepEqual(ended, { exitCode, stdout: '' });
    assert.match(stderr, told);
  }
  assert.deepEqual(readdirSync(path.join(home, 'run')), ['events.jsonl']);
});
