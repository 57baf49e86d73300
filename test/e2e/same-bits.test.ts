import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { openCheckpoint } from '../../shared/checkpoint/open.js';
import type { Run } from './processes.js';
import { checkpoints, endOf as endOfRun, join, start, tinyRun, type End } from './tiny-run.js';

const LAST_STEP = 24;

const endOf = (t: TestContext, run: Run): Promise<End> => endOfRun(t, run, LAST_STEP);

let undisturbed: Promise<End> | undefined;

/** What one worker alone ends with, in one go. */
function reference(t: TestContext): Promise<End> {
  undisturbed ??= (async () => {
    const { config, folder } = await tinyRun(t);
    const run = start(t, config, folder);
    await join(t, run);
    return endOf(t, run);
  })();
  return undisturbed;
}

test('the components of a run are those of the time steps that its examples were at', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '3']);
  await join(t, run);
  assert.equal(await run.exit(), 0, run.stderr);
  const components = await (await openCheckpoint(folder)).loadComponents();
  const seen = components.filter((value) => !Number.isNaN(value));
  assert.equal(components.length, 28 * 28);
  assert.ok(seen.length > 16 && seen.length <= 3 * 16, `${seen.length} time steps seen`);
  // Bits per dimension of an untrained model, a D-th of the bound each.
  for (const value of seen) assert.ok(value > 0 && value < 10 / components.length, `${value}`);
});

test('two workers end with the same weights as one', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--set', 'workers.minimum=2']);
  await Promise.all([join(t, run), join(t, run)]);
  assert.deepEqual(await endOf(t, run), await reference(t));
  assert.ok(run.events('step').every(({ members }) => members === 2));
  if (process.platform !== 'linux') return;
  for (const { bytesByType } of run.events('step').slice(1))
    assert.ok(bytesByType.in.sum! > 0 && !bytesByType.in.gradient && !bytesByType.out.average);
});

test('gradients that travel over sockets come to the same as those that are left in shared memory', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--set', 'workers.minimum=2', '--set', 'workers.sharedMemory=false']);
  await Promise.all([join(t, run), join(t, run)]);
  assert.deepEqual(await endOf(t, run), await reference(t));
  for (const { bytesByType } of run.events('step'))
    assert.ok(bytesByType.in.gradient! > 0 && !bytesByType.in.sum);
});

test('a worker killed on the way and another that joins change no bit', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--set', 'workers.minimum=2']);
  const [, victim] = await Promise.all([join(t, run), join(t, run)]);
  await run.event('step', ({ step }) => step >= 7);
  victim.kill('SIGKILL');
  const left = await run.event('leave');
  assert.equal(left.pid, victim.child.pid);
  assert.equal(left.reason, 'its connection is gone');
  const newcomer = await join(t, run);
  assert.deepEqual(await endOf(t, run), await reference(t));
  assert.equal(run.events('join').at(-1)!.pid, newcomer.child.pid);
  assert.equal(await newcomer.exit(), 0);
});

test('a frozen worker is given up, comes back, and changes no bit', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const frozen = await join(t, run);
  await run.event('step', ({ step }) => step >= 3);
  frozen.kill('SIGSTOP');
  await run.event('leave');
  const other = await join(t, run);
  await run.event('step', ({ step }) => step >= 8);
  frozen.kill('SIGCONT');
  await run.event('join', ({ pid, incarnation }) => pid === frozen.child.pid && incarnation > 2);
  other.kill('SIGTERM');
  assert.equal(await other.exit(), 143);
  assert.deepEqual(await endOf(t, run), await reference(t));
});

test('a run stopped by Ctrl-C goes on from its last step, also with other workers', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder);
  await join(t, first);
  await first.event('step', ({ step }) => step >= 8);
  first.kill('SIGINT');
  assert.equal(await first.exit(), 130);
  const stopped = (await checkpoints(t, folder)).at(-1)!;
  assert.ok(stopped.step >= 8 && stopped.step < LAST_STEP, `stopped at ${stopped.step}`);

  const second = start(t, config, folder);
  await Promise.all([join(t, second), join(t, second)]);
  assert.deepEqual(await endOf(t, second), await reference(t));
  assert.equal(second.events('resume')[0]!.step, stopped.step);
});

test('a coordinator killed outright goes on from its newest checkpoint', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder, ['--workers', '1']);
  await first.event('checkpoint', ({ step }) => step >= 10);
  first.kill('SIGKILL');
  await first.exit();
  const second = start(t, config, folder, ['--workers', '2']);
  assert.deepEqual(await endOf(t, second), await reference(t));
  assert.ok(second.events('resume')[0]!.step >= 10);
});

test('workers wait for a coordinator that was killed, and go on with the one that takes its place', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder);
  const address = await first.address();
  const worker = await join(t, first);
  await first.event('checkpoint', ({ step }) => step >= 10);
  first.kill('SIGKILL');
  await first.exit();
  const second = start(t, config, folder, ['--listen', address]);
  assert.deepEqual(await endOf(t, second), await reference(t));
  assert.equal(second.events('join').at(-1)!.pid, worker.child.pid);
  assert.equal(await worker.exit(), 0, worker.stderr);
});

test('a damaged newest checkpoint is passed over, told of, and the run ends with the same weights', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder, ['--workers', '1', '--steps', '15']);
  assert.equal(await first.exit(), 0, first.stderr);
  const before = await checkpoints(t, folder);
  const newest = path.join(folder, 'checkpoints', 'step-00000015');
  const older = path.join(folder, 'checkpoints', 'step-00000010');
  mkdirSync(newest, { recursive: true });
  copyFileSync(path.join(older, 'parameters.safetensors'), path.join(newest, 'parameters.safetensors'));
  const second = start(t, config, folder, ['--workers', '1']);
  assert.deepEqual(await endOf(t, second), await reference(t));
  const [resume] = second.events('resume');
  assert.equal(resume!.step, before.at(-2)!.step);
  assert.match(resume!.skipped.join(), /step-00000015.*parameters\.safetensors/);
});
