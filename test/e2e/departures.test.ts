import assert from 'node:assert/strict';
import test from 'node:test';
import { endOf, join, start, tinyRun } from './tiny-run.js';

/** Half a second to notice, and what a crowded machine takes to write it down. */
const NOTICED_MS = 500;

test('a remote worker whose process is gone is given up within half a second, not after the heartbeat', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '200']);
  const [, lost] = [await join(t, run), await join(t, run)];
  await run.event('step', ({ members }) => members === 2);
  const killedAt = Date.now();
  lost.kill('SIGKILL');
  const { reason, time } = await run.event('leave');
  assert.equal(reason, 'its connection is gone');
  assert.ok(Date.parse(time) - killedAt <= NOTICED_MS, `${Date.parse(time) - killedAt} ms`);
  const { step } = run.events('step').at(-1)!;
  await run.event('step', (event) => event.step > step + 1);
  assert.deepEqual(run.events('dropped'), []);
});

test('a worker that is told to stop leaves by a message, and the run ends well without it', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const [, leaving] = [await join(t, run), await join(t, run)];
  await run.event('step', ({ members }) => members === 2);
  leaving.kill('SIGTERM');
  assert.equal((await run.event('leave')).reason, 'stopped by SIGTERM');
  assert.equal(await leaving.exit(), 143);
  await endOf(t, run, 24);
});

test('a coordinator that is told to stop saves first, and goes on from there', async (t) => {
  const { config, folder } = await tinyRun(t);
  const args = ['--set', 'checkpoints.everySteps=0'];
  const first = start(t, config, folder, args);
  await join(t, first);
  await first.event('step', ({ step }) => step >= 5);
  first.kill('SIGTERM');
  assert.equal(await first.exit(), 143);
  const saved = first.events('checkpoint').at(-1)!;
  assert.equal(saved.step, first.events('step').at(-1)!.step);
  const second = start(t, config, folder, args);
  assert.equal((await second.event('resume')).step, saved.step);
  await join(t, second);
  await endOf(t, second, 24);
});

test('a second signal ends a coordinator and a worker at once', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const worker = await join(t, run);
  await run.event('step');
  for (const process of [worker, run]) {
    process.kill('SIGSTOP');
    process.kill('SIGTERM');
    process.kill('SIGINT');
    process.kill('SIGCONT');
    assert.ok([130, 143].includes((await process.exit()) as number));
  }
  assert.deepEqual(run.events('done'), []);
});

test('a second coordinator in the same folder is refused, and the first one goes on', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder);
  await first.address();
  const second = start(t, config, folder);
  assert.equal(await second.exit(), 1);
  assert.match(second.stderr, new RegExp(`another coordinator \\(process ${first.child.pid} on .*--run-dir`));
  await join(t, first);
  await endOf(t, first, 24);
});
