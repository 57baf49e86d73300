import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { MEDIA_RUNS, type MediumRun } from './media.js';
import type { Run } from './processes.js';
import { checkpoints, endOf, start, tinyRun, type End } from './tiny-run.js';

const LAST_STEP = 48;

const SCHEDULE = `
name: tiny
training: { steps: ${LAST_STEP}, batch: 16, slices: 8, learningRate: 2.0e-3, ema: 0.9 }
evaluation: { everySteps: 24, examples: 4, batch: 2 }
checkpoints: { everySteps: 9 }
workers: { hashEverySteps: 4, bucketBytes: 4096 }
`;

/** Starts a run of a medium in a folder of its own, with workers of its own. */
async function begin(t: TestContext, { config: text, prepare }: MediumRun, workers: number): Promise<Run> {
  const { config, folder } = await tinyRun(t, SCHEDULE + text);
  prepare(path.dirname(config));
  return start(t, config, folder, withWorkers(workers));
}

/** A step waits for all of them: one that is killed or stopped is missed. */
const withWorkers = (count: number) => ['--workers', `${count}`, '--set', `workers.minimum=${count}`];

/** The end of a run and its samples, by the names of their files. */
async function outcomeOf(t: TestContext, run: Run): Promise<End & { samples: Record<string, string> }> {
  const end = await endOf(t, run, LAST_STEP);
  const folder = path.join(run.folder, 'samples');
  const samples = readdirSync(folder).map((name) => [
    name,
    readFileSync(path.join(folder, name)).toString('base64'),
  ]);
  return { ...end, samples: Object.fromEntries(samples) as Record<string, string> };
}

for (const given of MEDIA_RUNS)
  test(`a run on ${given.medium} ends with the same bits whatever happens to its workers`, async (t) => {
    const [alone, killed, stopped] = await Promise.all([
      begin(t, given, 1),
      begin(t, given, 2),
      begin(t, given, 2),
    ]);
    const kill = async () => {
      await killed.event('step', ({ step }) => step >= 3);
      process.kill(killed.events('join')[0]!.pid, 'SIGKILL');
    };
    const stop = async () => {
      await stopped.event('step', ({ step }) => step >= 6);
      stopped.kill('SIGINT');
      assert.equal(await stopped.exit(), 130, stopped.stderr);
      const { step } = (await checkpoints(t, stopped.folder)).at(-1)!;
      assert.ok(step >= 6 && step < LAST_STEP, `stopped at ${step}`);
      const config = path.join(path.dirname(stopped.folder), 'tiny.yaml');
      return start(t, config, stopped.folder, withWorkers(1));
    };
    const [, resumed] = await Promise.all([kill(), stop()]);

    const expected = await outcomeOf(t, alone);
    given.check(path.join(alone.folder, 'samples', `step-${String(LAST_STEP).padStart(8, '0')}`));
    assert.deepEqual(await outcomeOf(t, killed), expected);
    assert.equal(killed.events('restart').length, 1);
    assert.deepEqual(await outcomeOf(t, resumed), expected);
    assert.equal(resumed.events('resume').length, 1);
  });
