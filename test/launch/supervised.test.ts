import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { backOffSeconds, Supervised, type Restart } from '../../shared/launch/supervised.js';

/** A process that runs this script, which may read `attempt`. */
const node = (script: string) => (attempt: number) =>
  spawn(process.execPath, ['-e', `const attempt = ${attempt}; ${script}`], { stdio: 'ignore' });

const hang = 'setInterval(() => {}, 1000);';

test('a process that dies is started again, as often as allowed', async () => {
  const restarts: Restart[] = [];
  const exits: string[] = [];
  const supervised = new Supervised({
    start: node('process.exit(attempt + 5)'),
    restarts: 1,
    onExit: (reason) => exits.push(reason),
    onRestart: (restart) => restarts.push(restart),
  });
  assert.deepEqual(await supervised.ended, { code: 6, reason: 'exit code 6', deaths: 2 });
  assert.deepEqual(restarts, [{ attempt: 1, delaySeconds: 1, reason: 'exit code 5' }]);
  assert.deepEqual(exits, ['exit code 5', 'exit code 6']);
});

test('a final exit ends it, and so does a program that is not there', async () => {
  const onRestart = () => assert.fail('it was started again');
  const isFinal = ({ code }: { code: number | null }) => code === 0 || code === null;
  const done = new Supervised({ start: node(''), restarts: 5, isFinal, onRestart });
  assert.deepEqual(await done.ended, { code: 0, reason: 'exit code 0', deaths: 1 });
  const start = () => spawn('/no/such/program', { stdio: 'ignore' });
  const absent = await new Supervised({ start, restarts: 5, isFinal, onRestart }).ended;
  assert.deepEqual([absent.code, absent.reason], [null, 'spawn /no/such/program ENOENT']);
});

test('one that is told to stop is not started again, also while it waits for that, and is killed when it stays', async () => {
  const onRestart = () => undefined;
  const deaf = new Supervised({
    start: node(`process.on('SIGTERM', () => {}); ${hang}`),
    restarts: 5,
    onRestart,
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await deaf.stop(0.2);
  assert.deepEqual(await deaf.ended, { code: null, reason: 'SIGKILL', deaths: 0 });
  const waiting = await new Promise<Supervised>((resolve) => {
    const supervised: Supervised = new Supervised({
      start: node('process.exit(1)'),
      restarts: 5,
      onRestart: () => resolve(supervised),
    });
  });
  await waiting.stop(10);
  assert.deepEqual(await waiting.ended, { code: 1, reason: 'exit code 1', deaths: 0 });
});

test('the wait before a restart doubles, up to half a minute', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(backOffSeconds), [1, 2, 4, 8, 16, 30, 30]);
});
