import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { join, line, log, START, stepLines } from '../page/made-up-run.js';
import { hasTraceViewers, openInChromeTracing, openInPerfetto } from './trace-viewers.js';

const WORK = [
  { slot: 0, begin: 0, end: 2, dealt: -0.2, from: 0, to: 0.3 },
  { slot: 1, begin: 2, end: 4, dealt: -0.2, from: 0, to: 0.4 },
];

/** The timeline of a run of 20 steps. */
async function drawn(t: TestContext): Promise<string> {
  const home = await temporaryFolder(t);
  log(
    path.join(home, 'run'),
    ...[line('start', 0, START), join(0), join(1)],
    ...stepLines(1, 20).map((text) => JSON.stringify({ ...(JSON.parse(text) as object), work: WORK })),
    line('leave', 20, { slot: 1, pid: 4712, reason: 'silent for 5 s', members: 1 }),
    line('evaluation', 20, { split: 'test', bitsPerDim: 1, standardError: 0, examples: 5, seconds: 0.25 }),
  );
  const command = new Command(t, 'cli', ['timeline', 'run'], { cwd: home });
  assert.equal(await command.exit(), 0, command.stderr);
  return path.join(home, 'run/timeline.json');
}

test('Perfetto finds every step, phase, worker and mark where it belongs', async (t) => {
  if (!hasTraceViewers(t)) return;
  const { query } = await openInPerfetto(t, await drawn(t));
  const tracks = await query(
    `select process.name, thread.name, count(*), sum(dur) / 1000000 from slice
     join thread_track on slice.track_id = thread_track.id join thread using (utid) join process using (upid)
     group by 1, 2 order by 1, 2`,
  );
  assert.deepEqual(tracks, [
    ['coordinator', 'evaluation', 1, 250],
    ['coordinator', 'events', 1, 0],
    ['coordinator', 'phases', 60, 20 * (300 + 100 + 50)],
    ['coordinator', 'publication', 20, 20 * 50],
    ['coordinator', 'steps', 20, 20 * 500],
    ['workers', 'worker 0: atlas, a device', 21, 20 * 300],
    ['workers', 'worker 1: atlas, a device', 22, 20 * 400],
  ]);
  const args = await query(
    `select slice.name, display_value from slice join args using (arg_set_id)
     where slice.name = 'leave' and key = 'args.what'`,
  );
  assert.deepEqual(args, [['leave', 'slot 1, pid 4712, reason silent for 5 s, members 1']]);
  const curves = await query(
    `select name, count(*), max(value) from counter join counter_track on track_id = counter_track.id group by 1 order by 1`,
  );
  assert.deepEqual(curves, [
    ['connected workers', 20, 1],
    ['training bits/dim', 20, 2],
  ]);
  assert.deepEqual(await query(`select name, value from stats where severity = 'error' and value > 0`), []);
});

test('chrome://tracing takes it without a warning', async (t) => {
  if (!hasTraceViewers(t)) return;
  const { warnings, tracks } = await openInChromeTracing(t, await drawn(t));
  assert.deepEqual(warnings, []);
  const { steps, phases, 'worker 0: atlas, a device': worker } = tracks;
  assert.deepEqual([steps, phases, worker], [20, 60, 21]);
});
