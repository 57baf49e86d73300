import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../data/temporary.js';
import { Command, type Run, Script } from './processes.js';
import { start, tinyRun } from './tiny-run.js';

/** A run of so many steps, and a fleet of two that takes part. */
async function runWithFleet(t: TestContext, steps: number): Promise<{ run: Run; fleet: Script }> {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', String(steps)]);
  const args = ['--coordinator', await run.address(), '--gpu', '0,1'];
  const fleet = new Script(t, new URL('worker-without-gpu.js', import.meta.url), args);
  await run.event('step', ({ members }) => members === 2);
  return { run, fleet };
}

async function isGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 200; waited++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(25);
  }
  return false;
}

test('a member of a fleet that dies is started again; all end with the run, and the fleet with them', async (t) => {
  const { run, fleet } = await runWithFleet(t, 24);
  process.kill(run.events('join')[0]!.pid, 'SIGKILL');
  await run.event('join', () => true, 2);
  assert.equal(await run.exit(), 0, run.stderr);
  assert.equal(await fleet.exit(), 0, fleet.stderr);
  assert.match(fleet.stderr, /^gpu [01] \| died \(SIGKILL\) and starts again in 1 s, restart 1$/m);
  for (const gpu of [0, 1]) assert.match(fleet.stderr, new RegExp(`^gpu ${gpu} \\| \\S+ told to stop`, 'm'));
});

test('a fleet passes a signal on: its members say goodbye', async (t) => {
  const { run, fleet } = await runWithFleet(t, 1000);
  fleet.kill('SIGTERM');
  assert.equal(await fleet.exit(), 143, fleet.stderr);
  await run.event('leave', () => true, 1);
  assert.deepEqual(
    run.events('leave').map(({ reason }) => reason),
    ['stopped by SIGTERM', 'stopped by SIGTERM'],
  );
});

test('no member outlives a fleet that is killed', async (t) => {
  const { run, fleet } = await runWithFleet(t, 1000);
  fleet.kill('SIGKILL');
  for (const { pid } of run.events('join')) assert.ok(await isGone(pid), `process ${pid} goes on`);
});

/** A folder with an `nvidia-smi` that lists two GPUs. */
async function twoGpus(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'nvidia-smi'), "#!/bin/sh\nprintf 'GPU 0: A\\nGPU 1: B\\n'\n", {
    mode: 0o755,
  });
  return folder;
}

test('--gpu all starts a process for each GPU that nvidia-smi lists; what keeps one out is told once', async (t) => {
  const folder = await twoGpus(t);
  const env = { PATH: `${folder}:${process.env.PATH}`, CUDA_VISIBLE_DEVICES: undefined };
  const fleet = new Command(t, 'worker', ['--gpu', 'all', '--provider', 'cuda'], { env });
  assert.equal(await fleet.exit(), 1);
  for (const gpu of [0, 1]) {
    assert.match(fleet.stderr, new RegExp(`^gpu ${gpu} \\| ardm-worker: There is no GPU ${gpu}`, 'm'));
    assert.match(
      fleet.stderr,
      new RegExp(`^gpu ${gpu} \\| ended with exit code 1 and is not started again$`, 'm'),
    );
  }
  assert.doesNotMatch(fleet.stderr, /starts again/);
});

test('--gpu all without a GPU says what else there is', async (t) => {
  const env = { PATH: await temporaryFolder(t) };
  const fleet = new Command(t, 'worker', ['--gpu', 'all'], { env });
  assert.equal(await fleet.exit(), 1);
  assert.match(fleet.stderr, /^ardm-worker: there is no GPU for --gpu all: .*--gpu 0 .*--cpu .*ardm doctor/);
});
