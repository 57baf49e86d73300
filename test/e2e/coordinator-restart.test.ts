import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Command, Run } from './processes.js';
import { endOf, join, start, tinyRun, type End } from './tiny-run.js';

const LAST_STEP = 24;
/** No checkpoint before the end: what is not found again with the workers has to be computed anew. */
const NO_CHECKPOINTS = ['--set', 'checkpoints.everySteps=0', '--set', 'workers.recoverSeconds=120'];

let undisturbed: Promise<End> | undefined;

function reference(t: TestContext): Promise<End> {
  undisturbed ??= (async () => {
    const { config, folder } = await tinyRun(t);
    const run = start(t, config, folder);
    await join(t, run);
    return endOf(t, run, LAST_STEP);
  })();
  return undisturbed;
}

/** A coordinator that was killed after so many steps, with outside workers that go on looking for it. */
async function killed(t: TestContext, numWorkers: number) {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder, NO_CHECKPOINTS);
  const workers = await Promise.all(Array.from({ length: numWorkers }, () => join(t, first)));
  await first.event('step', ({ step }) => step >= 8);
  first.kill('SIGKILL');
  await first.exit();
  const lastStep = first.events('step').at(-1)!.step;
  const listen = ['--listen', await first.address()];
  const restart = (args: readonly string[] = []): Run =>
    start(t, config, folder, [...NO_CHECKPOINTS, ...listen, ...args]);
  return { workers, lastStep, restart };
}

const endAll = async (workers: readonly Command[]) => {
  for (const worker of workers) assert.equal(await worker.exit(), 0, worker.stderr);
};

test('a killed coordinator that starts again goes on from the state of its workers, and no bit changes', async (t) => {
  const { workers, lastStep, restart } = await killed(t, 2);
  const second = restart();
  const { step } = await second.event('recovered');
  // The last commit may have been on its way to everyone.
  assert.ok(step >= lastStep - 1, `went on from ${step}, but ${lastStep} was committed`);
  assert.deepEqual(await endOf(t, second, LAST_STEP), await reference(t));
  await endAll(workers);
});

test('killed again while it looks for the state, it still finds it', async (t) => {
  const { workers, lastStep, restart } = await killed(t, 1);
  workers[0]!.kill('SIGSTOP');
  const second = restart();
  await second.event('waiting', ({ reason }) => /0 of 1 workers that may hold it are back/.test(reason));
  second.kill('SIGKILL');
  await second.exit();
  workers[0]!.kill('SIGCONT');
  const third = restart();
  const { step } = await third.event('recovered');
  assert.ok(step >= lastStep - 1, `went on from ${step}, but ${lastStep} was committed`);
  assert.deepEqual(await endOf(t, third, LAST_STEP), await reference(t));
  await endAll(workers);
});

test('steps that no worker brings back are taken again, after the time that it waits for them', async (t) => {
  const { workers, lastStep, restart } = await killed(t, 1);
  workers[0]!.kill('SIGKILL');
  const second = restart(['--set', 'workers.recoverSeconds=0.5']);
  const { step, lost } = await second.event('recovered');
  assert.deepEqual([step, lost >= lastStep], [0, true]);
  const newcomer = await join(t, second);
  assert.deepEqual(await endOf(t, second, LAST_STEP), await reference(t));
  await endAll([newcomer]);
});

test('what local workers held is not waited for: they ended with the coordinator', async (t) => {
  const { config, folder } = await tinyRun(t);
  const args = [...NO_CHECKPOINTS, '--workers', '1'];
  const first = start(t, config, folder, args);
  await first.event('step', ({ step }) => step >= 5);
  first.kill('SIGKILL');
  await first.exit();
  const second = start(t, config, folder, args);
  await second.event('recovered');
  assert.equal(second.events('waiting').filter(({ reason }) => reason.includes('may hold it')).length, 0);
  assert.deepEqual(await endOf(t, second, LAST_STEP), await reference(t));
});
