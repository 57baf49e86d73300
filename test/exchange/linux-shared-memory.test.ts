import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { ftruncateSync, closeSync, openSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { linuxSharedMemory } from '../../shared/exchange/linux-shared-memory.js';

const BYTES = 65_536;
const sizes = { count: 2, bytes: BYTES, writable: true };
const skip = process.platform === 'linux' ? false : 'Linux alone has such memory';
const memory = () => linuxSharedMemory()!;

/** Runs a program in another process, which finds the module as `memory` and the path as `path`. */
function elsewhere(path: string, program: string): { stdout: string; stderr: string; signal: string | null } {
  const module = new URL('../../shared/exchange/linux-shared-memory.js', import.meta.url).href;
  const text = `import { linuxSharedMemory } from '${module}'; const memory = linuxSharedMemory(); const path = '${path}'; const sizes = ${JSON.stringify(sizes)}; ${program}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
}

test('what another process writes is seen here, and the other way round', { skip }, () => {
  const { path, buffers } = memory().create(sizes);
  new Float32Array(buffers[1]!)[7] = 0.5;
  const { stdout, stderr } = elsewhere(
    path,
    `const [, second] = memory.open(path, sizes); const values = new Float32Array(second);
     console.log(memory.machine, values[7], values[8]); values[8] = -2;`,
  );
  assert.equal(stdout, `${memory().machine} 0.5 0\n`, stderr);
  assert.deepEqual([...new Float32Array(buffers[1]!, 28, 2)], [0.5, -2]);
  assert.ok(new Float32Array(buffers[0]!).every((value) => value === 0));
});

test('nothing is left of it once its processes are killed', { skip }, () => {
  const before = readdirSync('/dev/shm');
  const { signal, stdout } = elsewhere(
    '',
    `const made = memory.create(sizes); new Uint8Array(made.buffers[0]).fill(1);
     console.log(made.path); process.kill(process.pid, 'SIGKILL');`,
  );
  assert.equal(signal, 'SIGKILL');
  assert.match(stdout, /^\/proc\/\d+\/fd\/\d+\n$/);
  assert.deepEqual(readdirSync('/dev/shm'), before);
});

test(
  'it outlives the one who made it in the hands of who opened it, and can be opened no more once closed',
  { skip },
  () => {
    const { path, buffers, close } = memory().create(sizes);
    const [opened] = memory().open(path, sizes);
    close();
    close();
    new Uint8Array(buffers[0]!)[3] = 9;
    assert.equal(new Uint8Array(opened!)[3], 9);
    assert.throws(() => memory().open(path, sizes), /ENOENT/);
  },
);

test('who has it can not make it smaller under the others', { skip }, () => {
  const { path } = memory().create(sizes);
  const file = openSync(path, 'r+');
  assert.throws(() => ftruncateSync(file, 0), /EPERM/);
  closeSync(file);
});

test('what is only to be read can not be opened for writing', { skip }, () => {
  const readable = { ...sizes, writable: false };
  const { path, buffers } = memory().create(readable);
  const [opened] = memory().open(path, readable);
  new Uint8Array(buffers[0]!)[5] = 4;
  assert.equal(new Uint8Array(opened!)[5], 4);
  assert.throws(() => memory().open(path, sizes), /mmap failed/);
});

test('another size, and what is no such memory, is refused', { skip }, () => {
  const { path } = memory().create(sizes);
  assert.throws(() => memory().open(path, { ...sizes, count: 3 }), /not the memory that was offered/);
  assert.throws(() => memory().open('/dev/null', sizes), /not the memory that was offered/);
});
