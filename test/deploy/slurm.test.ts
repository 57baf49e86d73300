import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../shared/package.js';
import { eventsIn } from '../e2e/processes.js';
import { tinyRun } from '../e2e/tiny-run.js';
import { unchecked } from '../support/unchecked.js';
import { until } from '../support/until.js';
import { hasSlurm, startSlurm, type Slurm } from './slurm.js';

const SCRIPT = path.join(packageRoot, 'deploy/slurm/ardm.sbatch');

/** Programs by name, as the PATH of a job has them; GPUs are made up, and compute on CPUs. */
function makePrograms(bin: string): void {
  const scripts = {
    ardm: 'cli/bin.js',
    'ardm-coord': 'coordinator/bin.js',
    'ardm-worker': 'test/e2e/worker-without-gpu.js',
  };
  const write = (name: string, text: string) =>
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const [name, script] of Object.entries(scripts))
    write(name, `exec ${process.execPath} ${path.join(packageRoot, 'dist', script)} "$@"`);
  write('nvidia-smi', "printf 'GPU 0: A\\nGPU 1: B\\n'");
}

interface Job {
  readonly slurm: Slurm;
  readonly id: string;
  readonly folder: string;
  /** What its script and the coordinator said. */
  said(): string;
}

async function submit(t: TestContext, sbatch: readonly string[], args: readonly string[]): Promise<Job> {
  const slurm = await startSlurm(t);
  makePrograms(path.join(slurm.folder, 'bin'));
  const { config } = await tinyRun(t);
  const log = path.join(slurm.folder, 'job.log');
  const flags = ['--parsable', '--cpus-per-task=1', `--output=${log}`, ...sbatch];
  const id = await slurm.run('sbatch', ...flags, SCRIPT, config, ...args);
  return { slurm, id, folder: path.join(slurm.folder, 'runs/tiny'), said: () => readFileSync(log, 'utf8') };
}

test('a job of Slurm trains on all GPUs of its node, and ends with the run', async (t) => {
  if (!hasSlurm) return unchecked(t, 'Slurm and munge, as root');
  const { slurm, id, folder, said } = await submit(t, ['--gpus-per-node=2'], ['--set', 'workers.minimum=2']);
  const over = async () => !['PENDING', 'RUNNING', 'COMPLETING'].includes((await slurm.job(id)).JobState!);
  await until('the job is over', over);
  const { JobState, ExitCode } = await slurm.job(id);
  assert.deepEqual([JobState, ExitCode], ['COMPLETED', '0:0'], said());
  assert.equal(eventsIn(folder, 'done')[0]!.step, 24);
  const node = readFileSync(
    path.join(folder, 'logs', `worker-${(await slurm.job(id)).BatchHost}.log`),
    'utf8',
  );
  for (const gpu of [0, 1])
    assert.match(node, new RegExp(`^gpu ${gpu} \\| \\S+ told to stop: the run is done`, 'm'));
});

test('a job whose time is nearly up saves, goes back into the queue, and goes on there; a cancelled one saves too', async (t) => {
  if (!hasSlurm) return unchecked(t, 'Slurm and munge, as root');
  const { slurm, id, folder, said } = await submit(t, [], ['--steps', '5000']);
  await until('steps are taken', async () => eventsIn(folder, 'step').length > 2);
  await slurm.run('scancel', '--signal=USR1', '--batch', id);
  await until('it is queued again', async () => (await slurm.job(id)).Restarts === '1');
  const [saved] = eventsIn(folder, 'checkpoint').slice(-1);
  // Slurm would leave two minutes between; what it signed in the second in which a job ended is no longer good.
  await sleep(3000);
  await slurm.run('scontrol', 'update', `JobId=${id}`, 'StartTime=now');
  await until('it goes on', () => eventsIn(folder, 'resume').length > 0);
  assert.equal(eventsIn(folder, 'resume')[0]!.step, saved!.step, said());
  await until('steps are taken', async () => eventsIn(folder, 'step').at(-1)!.step > saved!.step);
  await slurm.run('scancel', id);
  await until('it is over', async () => (await slurm.job(id)).JobState === 'CANCELLED');
  await until('it saved', async () => eventsIn(folder, 'failed').length === 2);
  assert.equal(eventsIn(folder, 'checkpoint').at(-1)!.step, eventsIn(folder, 'step').at(-1)!.step);
});
