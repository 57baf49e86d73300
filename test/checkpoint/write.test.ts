import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { stateBytes, stateIn } from '../../shared/exchange/state-copy.js';
import { readLatest } from '../../shared/checkpoint/folder.js';
import { headerLength, LENGTH_BYTES, parseHeader } from '../../shared/checkpoint/safetensors.js';
import { ARRAYS, FILES } from '../../shared/checkpoint/state.js';
import { UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';
import { unchecked } from '../support/unchecked.js';
import {
  NUM_STEPS,
  bitsOf,
  config,
  filesOf,
  flip,
  load,
  parameters,
  randomState,
  snapshotAt,
  stepName,
  stepPath,
  tensorFiles,
  write,
} from './made-up.js';
import { folderWithDisk } from './tmpfs.js';

const newFolder = async (t: TestContext) => path.join(await temporaryFolder(t), 'checkpoints');

function readSafetensors(file: string) {
  const bytes = readFileSync(file);
  const begin = LENGTH_BYTES + headerLength(bytes, bytes.length);
  return { data: bytes.subarray(begin), ...parseHeader(bytes.subarray(8, begin), bytes.length - begin) };
}

test('a checkpoint is five safetensors files and a manifest, and latest names it', async (t) => {
  const folder = await newFolder(t);
  const { path: checkpoint, sha256, bytes, warnings } = await write(folder, 400);
  assert.equal(checkpoint, stepPath(folder, 400));
  assert.deepEqual(filesOf(checkpoint), [...tensorFiles, 'manifest.json'].toSorted());
  assert.deepEqual(readdirSync(folder).toSorted(), ['latest', 'step-00000400']);
  assert.equal(readFileSync(path.join(folder, 'latest'), 'utf8'), 'step-00000400\n');
  assert.deepEqual(warnings, []);

  const manifest = JSON.parse(readFileSync(path.join(checkpoint, 'manifest.json'), 'utf8'));
  const { step, examples, seed, run, chain, repeatable, shape, numClasses } = manifest;
  assert.deepEqual(
    { step, examples, seed, run, chain, repeatable, shape, numClasses },
    {
      ...{ step: 400, examples: 400 * 16, seed: 7, run: 'run-1', chain: 'chain-400', repeatable: true },
      ...{ shape: [28, 28, 1], numClasses: 256 },
    },
  );
  assert.deepEqual(manifest.config, JSON.parse(JSON.stringify(config)));
  const sizes = tensorFiles.map((name) => {
    const content = readFileSync(path.join(checkpoint, name));
    assert.equal(createHash('sha256').update(content).digest('hex'), manifest.files[name].sha256);
    assert.equal(content.length, manifest.files[name].bytes);
    return content.length;
  });
  assert.equal(
    bytes,
    sizes.reduce((a, b) => a + b),
  );
  assert.equal(sha256, manifest.sha256);
});

test('tensors have the names, shapes and element order of the original', async (t) => {
  const snapshot = snapshotAt(1);
  const { path: checkpoint, sha256 } = await write(await newFolder(t), 1, snapshot);
  const { tensors, data } = readSafetensors(path.join(checkpoint, FILES.parameters));
  assert.deepEqual(
    tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
    parameters.map(({ name, originalShape }) => [name, 'F32', originalShape]),
  );
  assert.equal(createHash('sha256').update(data).digest('hex'), sha256);
  const values = new Float32Array(new Uint8Array(data).buffer);
  for (let location = 0; location < 9; location++)
    for (let input = 0; input < 2; input++)
      for (let output = 0; output < 4; output++)
        assert.equal(
          values[(location * 2 + input) * 4 + output],
          snapshot.state.parameters[(location * 4 + output) * 2 + input],
        );
});

test('the components are one float64 tensor, NaN where no example was seen', async (t) => {
  const snapshot = snapshotAt(1);
  const { path: checkpoint } = await write(await newFolder(t), 1, snapshot);
  const { tensors, data } = readSafetensors(path.join(checkpoint, FILES.components));
  assert.deepEqual(
    tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
    [['components', 'F64', [NUM_STEPS]]],
  );
  const { components } = snapshot.state;
  assert.ok(components.some(Number.isNaN));
  assert.deepEqual(new Float64Array(new Uint8Array(data).buffer), components);
});

test('equal parameters have equal hashes, whatever else differs', async (t) => {
  const state = randomState(1);
  const hashes = [
    await write(await newFolder(t), 1, { state }),
    await write(await newFolder(t), 2, { state: { ...randomState(2), parameters: state.parameters } }),
    await write(await newFolder(t), 2, { state: { ...state, parameters: state.ema } }),
  ].map(({ sha256 }) => sha256);
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

test('state in memory shared with other threads is written too', async (t) => {
  const folder = await newFolder(t);
  const state = randomState(3);
  const sizes = { numParameters: state.ema.length, numSteps: state.components.length };
  const shared = stateIn(new SharedArrayBuffer(stateBytes(sizes)), sizes);
  for (const array of ARRAYS) shared[array].set(state[array]);
  await write(folder, 3, { state: shared });
  assert.deepEqual(bitsOf((await load(folder)).state), bitsOf(state));
});

test('the same checkpoint again changes nothing on the disk', async (t) => {
  const folder = await newFolder(t);
  const first = await write(folder, 5);
  const manifest = readFileSync(path.join(first.path, 'manifest.json'));
  const again = await write(folder, 5, { run: 'run-2' });
  assert.deepEqual(again, first);
  assert.deepEqual(readdirSync(folder).toSorted(), ['latest', stepName(5)]);
  assert.deepEqual(readFileSync(path.join(first.path, 'manifest.json')), manifest);
});

test('a step saved again with other bytes, or over a damaged one, takes its place', async (t) => {
  const folder = await newFolder(t);
  const damaged = await write(folder, 5);
  flip(path.join(damaged.path, FILES.ema), 300);
  const second = await write(folder, 5);
  const third = await write(folder, 5, { state: randomState(99) });
  assert.deepEqual(
    [second, third].map((written) => path.basename(written.path)),
    ['step-00000005.2', 'step-00000005.3'],
  );
  assert.deepEqual(readdirSync(folder).toSorted(), ['latest', 'step-00000005.3']);
  assert.deepEqual(bitsOf((await load(folder)).state), bitsOf(randomState(99)));
});

test('only what the retention keeps stays, and what was published last', async (t) => {
  const folder = await newFolder(t);
  for (const step of [10, 20, 30, 40, 50, 60, 5])
    await write(folder, step, {}, { keepLast: 2, keepEvery: 20 });
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    ['latest', ...[5, 20, 40, 50, 60].map(stepName)].toSorted(),
  );
  assert.equal(await readLatest(folder), stepName(5));
});

test('what a dead writer left is swept, and what another is writing is not', async (t) => {
  const folder = await newFolder(t);
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const [dead, alive, elsewhere] = [
    `.writing-${hostname()}-${gone}-1`,
    `.writing-${hostname()}-${process.ppid}-1`,
    `.writing-another-${hostname()}-${gone}-1`,
  ];
  for (const name of [dead, alive, elsewhere]) mkdirSync(path.join(folder, name), { recursive: true });
  await write(folder, 1);
  assert.deepEqual(readdirSync(folder).toSorted(), [alive, elsewhere, 'latest', stepName(1)].toSorted());
});

/** Calls `fail` in place of each flush of a file or folder; it may flush after all. */
async function onFlush(
  t: TestContext,
  fail: (handle: FileHandle, nth: number, flush: () => Promise<void>) => Promise<void>,
) {
  const handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const flush = prototype.sync;
  let numCalls = 0;
  const mock = t.mock.method(prototype, 'sync', function (this: FileHandle) {
    return fail(this, numCalls++, () => flush.call(this));
  });
  return { restore: () => mock.mock.restore(), numCalls: () => numCalls };
}

test('wherever the disk fails, no half checkpoint is left and latest names a good one', async (t) => {
  const counted = await newFolder(t);
  await write(counted, 1);
  const count = await onFlush(t, (_, __, flush) => flush());
  await write(counted, 2);
  count.restore();
  assert.equal(count.numCalls(), 1 + 5 + 1 + 1 + 1 + 2, 'run, tensors, manifest, checkpoint, folder, latest');

  for (let failing = 0; failing < count.numCalls(); failing++) {
    const folder = await newFolder(t);
    await write(folder, 1);
    const failure = Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', errno: -5 });
    const mock = await onFlush(t, (_, nth, flush) => (nth === failing ? Promise.reject(failure) : flush()));
    await assert.rejects(
      write(folder, 2),
      (error) =>
        error instanceof UserError &&
        error.message.startsWith(`can't write the checkpoint of step 2 into ${folder}: EIO: i/o error`) &&
        /--run-dir/.test(error.message),
    );
    mock.restore();
    const published = failing >= 8;
    const names = ['latest', stepName(1), ...(published ? [stepName(2)] : [])];
    assert.deepEqual(readdirSync(folder).toSorted(), names);
    assert.equal(await readLatest(folder), failing === 10 ? stepName(2) : stepName(1));
    const { loaded, state } = await load(folder);
    assert.deepEqual([loaded!.step, loaded!.skipped], [published ? 2 : 1, []]);
    assert.deepEqual(bitsOf(state), bitsOf(randomState(loaded!.step)));
  }
});

test('a checkpoint that reads back otherwise than it was written is not published', async (t) => {
  const folder = await newFolder(t);
  await write(folder, 1);
  const mock = await onFlush(t, async (handle, nth, flush) => {
    if (nth === 3) await handle.write(Buffer.from([0x55]), 0, 1, 700);
    await flush();
  });
  await assert.rejects(
    write(folder, 2),
    (error) =>
      error instanceof UserError &&
      /step 2.*read back, second-moment\.safetensors is altered: sha256.*The disk is failing/.test(
        error.message,
      ),
  );
  mock.restore();
  assert.deepEqual(readdirSync(folder).toSorted(), ['latest', stepName(1)]);
  assert.equal(await readLatest(folder), stepName(1));
});

test('a full disk leaves the former checkpoint, and the next one is written once there is room', async (t) => {
  const run = await folderWithDisk(t, '64k', 'checkpoints');
  if (!run) return unchecked(t, 'a full disk: mounting a small one takes root');
  const folder = path.join(run, 'checkpoints');
  await write(folder, 1);
  const ballast = path.join(folder, 'ballast');
  const handle = await open(ballast, 'w');
  await assert.rejects(async () => {
    for (;;) await handle.write(Buffer.alloc(1024));
  }, /ENOSPC/);
  await handle.truncate((await handle.stat()).size - 12_288);
  await handle.close();
  await assert.rejects(
    write(folder, 2),
    (error) =>
      error instanceof UserError &&
      error.message.startsWith(
        `can't write the checkpoint of step 2 into ${folder}: the disk is full (ENOSPC). Make room`,
      ),
  );
  assert.deepEqual(readdirSync(folder).toSorted(), ['ballast', 'latest', stepName(1)]);
  assert.equal((await load(folder)).loaded!.step, 1);
  rmSync(ballast);
  await write(folder, 2);
  assert.equal((await load(folder)).loaded!.step, 2);
});

test('an old checkpoint that cannot be removed is a warning', async (t) => {
  const folder = await folderWithDisk(t, '64k', stepName(1));
  if (!folder) return unchecked(t, 'a checkpoint that cannot be removed: a mount takes root');
  const { path: checkpoint, warnings } = await write(folder, 2, {}, { keepLast: 1, keepEvery: 0 });
  assert.ok(existsSync(checkpoint));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /can't remove .*step-00000001: EBUSY/);
});

test('a folder that is a file is told by its path', async () => {
  const folder = import.meta.filename;
  await assert.rejects(
    write(folder, 1),
    (error) => error instanceof UserError && error.message.includes(`${folder}: EEXIST`),
  );
});
