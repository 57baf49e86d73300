import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { lockRunFolder } from '../../coordinator/run-lock.js';
import { UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';

/** A process that holds the lock of a folder until it is killed. */
async function holder(folder: string) {
  const module = new URL('../../coordinator/run-lock.js', import.meta.url).href;
  const code = `(await import('${module}')).lockRunFolder(process.argv[1]); console.log('locked'); setInterval(() => 0, 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('a folder that another process has is refused, told by its number, host and what to do', async (t) => {
  const folder = await temporaryFolder(t);
  const child = await holder(folder);
  t.after(() => child.kill('SIGKILL'));
  assert.throws(
    () => lockRunFolder(folder),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, new RegExp(`process ${child.pid} on ${hostname()}, since 2.*--run-dir`));
      return true;
    },
  );
});

test('the lock of a process that was killed is free', async (t) => {
  const folder = await temporaryFolder(t);
  const child = await holder(folder);
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockRunFolder(folder)();
});

test('a lock that was given back is free, and one that is held is not, in one process too', async (t) => {
  const folder = await temporaryFolder(t);
  const unlock = lockRunFolder(folder);
  assert.throws(() => lockRunFolder(folder), /another coordinator \(process \d+/);
  unlock();
  lockRunFolder(folder)();
});
