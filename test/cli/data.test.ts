import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { Command } from 'commander';
import { register } from '../../cli/data.js';
import { UsageError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';

/** Runs `ardm data ...` in this process with an empty cache; returns its lines and exit code. */
async function run(t: TestContext, cacheFolder: string, ...args: string[]) {
  const lines: string[] = [];
  const log = t.mock.method(console, 'log', (line: string) => lines.push(line));
  const before = { cache: process.env.ARDM_CACHE, exitCode: process.exitCode };
  process.env.ARDM_CACHE = cacheFolder;
  try {
    const program = new Command();
    register(program);
    await program.parseAsync(['data', ...args], { from: 'user' });
    return { output: lines.join('\n'), exitCode: process.exitCode ?? 0 };
  } finally {
    log.mock.restore();
    process.exitCode = before.exitCode;
    if (before.cache === undefined) delete process.env.ARDM_CACHE;
    else process.env.ARDM_CACHE = before.cache;
  }
}

test('list tells what is here, verified, and what there is to fetch', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  const { output, exitCode } = await run(t, cacheFolder, 'list');
  assert.match(output, /^mnist +verified +54\.9 MB$/m);
  assert.match(output, /^cifar10 +absent +170\.1 MB to fetch$/m);
  assert.match(output, /^text8 +absent +31\.3 MB to fetch$/m);
  assert.match(output, /^enwik8 +absent +36\.4 MB to fetch$/m);
  assert.match(output, /^sc09 +absent +2428\.9 MB to fetch$/m);
  assert.ok(output.includes(cacheFolder));
  assert.equal(exitCode, 0);
  const { sets } = JSON.parse((await run(t, cacheFolder, 'list', '--json')).output);
  assert.deepEqual(
    sets.map(({ name }: { name: string }) => name),
    ['mnist', 'fashion-mnist', 'cifar10', 'text8', 'enwik8', 'sc09'],
  );
  assert.deepEqual(
    [sets[0].state, sets[0].bytes, sets[2].downloadBytes],
    ['verified', 54_880_032, 170_052_171],
  );
});

test('verify names a damaged file and fails', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  const file = path.join(cacheFolder, 'cifar10', 'test_batch.bin');
  mkdirSync(path.dirname(file));
  writeFileSync(file, new Uint8Array(3073));
  for (const name of [['cifar10'], []]) {
    const { output, exitCode } = await run(t, cacheFolder, 'verify', ...name);
    assert.match(output, /^cifar10 +damaged/m);
    assert.ok(output.includes(`${file} is truncated: 3073 bytes instead of 30730000`));
    assert.equal(exitCode, 1);
  }
  const [state] = JSON.parse((await run(t, cacheFolder, 'verify', 'cifar10', '--json')).output);
  assert.equal(state.damaged[0].path, file);
});

test('verify fails for a set that is asked for and absent, not for one that nobody asked for', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  assert.equal((await run(t, cacheFolder, 'verify', 'cifar10')).exitCode, 1);
  assert.equal((await run(t, cacheFolder, 'verify')).exitCode, 0);
  assert.equal((await run(t, cacheFolder, 'verify', 'binarised-mnist')).exitCode, 0);
});

test('fetch of a set that is here says where it is', async (t) => {
  const { output, exitCode } = await run(t, await temporaryFolder(t), 'fetch', 'mnist');
  assert.match(
    output,
    /^mnist is here and verified:\n .*train-images-idx3-ubyte\n .*t10k-images-idx3-ubyte$/,
  );
  assert.equal(exitCode, 0);
});

test('an unknown name is a usage error that lists the known ones', async (t) => {
  const cacheFolder = await temporaryFolder(t);
  await assert.rejects(
    run(t, cacheFolder, 'fetch', 'imagenet'),
    (error) =>
      error instanceof UsageError && /no data set imagenet: choose mnist, fashion-mnist/.test(error.message),
  );
  for (const own of ['folder', 'text', 'wav'])
    await assert.rejects(
      run(t, cacheFolder, 'verify', own),
      (error) => error instanceof UsageError && error.message.includes(`set: ${own} is your own data`),
    );
});
