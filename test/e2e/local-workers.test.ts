import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { start, tinyRun } from './tiny-run.js';

/** Whether a process of this number is there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a local worker that dies is started again, and the run ends well', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--workers', '2']);
  await run.event('step', ({ step }) => step >= 2);
  const [first] = run.events('join');
  process.kill(first!.pid, 'SIGKILL');
  const restart = await run.event('restart');
  assert.deepEqual([restart.attempt, restart.delaySeconds, restart.reason], [1, 1, 'SIGKILL']);
  assert.equal(run.events('leave')[0]!.reason, 'its process died (SIGKILL)');
  assert.equal(await run.exit(), 0, run.stderr);
  const { pid } = run.events('join').at(-1)!;
  assert.ok(!isAlive(pid), 'no worker outlives its coordinator');
});

test('a run whose local workers have used up their restarts ends with their last words', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--workers', '1', '--set', 'workers.restarts=0']);
  await run.event('step', ({ step }) => step >= 2);
  process.kill(run.events('join')[0]!.pid, 'SIGKILL');
  assert.equal(await run.exit(), 1);
  assert.match(run.stderr, /local worker 0 died 1 time.*SIGKILL.*holds the state of step 0.*worker-0\.log/s);
  assert.match(readFileSync(path.join(folder, 'logs', 'worker-0.log'), 'utf8'), /joined tiny as slot 0/);
});

test('local workers end with a coordinator that is killed', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--workers', '1']);
  await run.event('step');
  const { pid } = run.events('join')[0]!;
  run.kill('SIGKILL');
  await run.exit();
  for (let waited = 0; isAlive(pid) && waited < 100; waited++)
    await new Promise((done) => setTimeout(done, 50));
  assert.ok(!isAlive(pid));
});
