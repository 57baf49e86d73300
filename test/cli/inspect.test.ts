import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { covered, madeUpCoder } from '../compression/made-up.js';
import { containerOf, entriesOf } from '../compression/files.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';

const FILES = {
  'a.m': covered([1, 2, 3]),
  'b.txt': Buffer.from('the cat sat on the mat and '.repeat(20)),
  'c.m': covered([4]),
};

async function inspect(t: TestContext, bytes: Uint8Array, ...args: string[]) {
  const file = path.join(await temporaryFolder(t), 'x.ardm');
  writeFileSync(file, bytes);
  const command = new Command(t, 'cli', ['inspect', file, ...args]);
  const status = await command.exit();
  return { status, stdout: command.stdout, stderr: command.stderr };
}

test('what a file holds is told without its model', async (t) => {
  const { status, stdout } = await inspect(t, await containerOf(await entriesOf(FILES)));
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `model abcdef0123456789, 3 calls for each batch of 4 examples, orders of seed 7; written by ardm 0.1.0, exact everywhere
606 -> 138 bytes, 22.8 %, 36 of them for all files together
  examples  bytes  packed      by   file
       0-2     49      27   bytes    a.m
         3    540      52  brotli  b.txt
         4     17      23   bytes    c.m
`,
  );
});

test('--json tells all of it', async (t) => {
  const coder = madeUpCoder({ engine: { kind: 'fast', fingerprint: 'this machine' } });
  const file = await containerOf(await entriesOf(FILES, { coder }), coder);
  const { files, ...about } = JSON.parse((await inspect(t, file, '--json')).stdout);
  const { overheadBytes, ...rest } = about;
  assert.deepEqual(rest, {
    ...{ version: '0.1.0', model: 'abcdef0123456789' },
    ...{ engine: { kind: 'fast', fingerprint: 'this machine' } },
    ...{ policy: [0, 3, 8], seed: 7, batch: 4, bytes: 606, packedBytes: file.length },
  });
  assert.equal(
    files.reduce((sum: number, { packedBytes }: { packedBytes: number }) => sum + packedBytes, overheadBytes),
    file.length,
  );
  const [first] = files;
  assert.deepEqual([first.name, first.first, first.examples, first.crc32c.length], ['a.m', 0, 3, 8]);
});

test('a file of no files, and what is none', async (t) => {
  const empty = await inspect(t, await containerOf([]));
  assert.match(empty.stdout, /^model .*\n0 -> 36 bytes, 36 of them for all files together\n$/);
  const { status, stderr } = await inspect(t, Buffer.from('PNG'));
  assert.equal(status, 1);
  assert.match(stderr, /^ardm: .*x\.ardm is no file that ardm compress wrote\n$/);
});
