import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { covered } from '../compression/made-up.js';
import { noise } from '../data/archives.js';
import { temporaryFolder } from '../data/temporary.js';
import { filesOf } from '../compression/files.js';
import { inFolder, madeUpCoding, run } from './made-up-coding.js';

const HASH = '0123456789abcdef'.repeat(4);

/** A folder with a made-up model and some files. */
async function prepare(t: TestContext) {
  const home = await temporaryFolder(t);
  const at = inFolder(home);
  mkdirSync(at('files', 'below'), { recursive: true });
  writeFileSync(at('model'), HASH);
  writeFileSync(at('files', 'a.m'), covered([1, 2, 3]));
  writeFileSync(at('files', 'below', 'b.txt'), 'the cat sat on the mat and '.repeat(20));
  writeFileSync(at('files', 'below', '.hidden'), '');
  writeFileSync(at('noise'), noise(100));
  return { home, at };
}

test('files become one, beside them nothing, and the result is its path', async (t) => {
  const { home, at } = await prepare(t);
  const args = ['compress', at('model'), at('files', 'a.m'), at('noise'), '-o', at('x.ardm')];
  const { status, stdout, stderr } = await run(t, args);
  assert.deepEqual([status, stdout.toString()], [0, `${at('x.ardm')}\n`]);
  const size = statSync(at('x.ardm')).size;
  assert.equal(
    stderr,
    [
      '2 files by model 0123456789abcdef, 16 calls for each batch of 4 examples',
      '32 of 32 network calls, RATE in 0 s',
      `149 -> ${size} bytes (PERCENT %); by the model 1 file of 2, 3 examples`,
      '',
    ]
      .join('\n')
      .replace('RATE', /calls, (.*\/s) in/.exec(stderr)![1]!)
      .replace('PERCENT', ((100 * size) / 149).toFixed(1)),
  );
  assert.deepEqual(readdirSync(home).toSorted(), ['files', 'model', 'noise', 'x.ardm']);
});

test('--json tells what became of each file', async (t) => {
  const { at } = await prepare(t);
  const args = ['compress', at('model'), at('files'), '-r', '-o', at('x.ardm'), '--budget', '5', '--json'];
  const { status, stdout } = await run(t, args);
  assert.equal(status, 0);
  const { files, packedBytes, engine, ...result } = JSON.parse(stdout.toString());
  const bytes = 49 + 540;
  assert.deepEqual(result, { path: at('x.ardm'), bytes, model: HASH, calls: 5, seed: 7, batch: 4 });
  assert.equal(packedBytes, statSync(at('x.ardm')).size);
  assert.equal(engine.kind, 'exact');
  assert.deepEqual(
    files.map(({ name, bytes, method, examples }: Record<string, unknown>) => [
      name,
      bytes,
      method,
      examples,
    ]),
    [
      ['a.m', 49, 'bytes', 3],
      ['.hidden', 0, 'stored', 0],
      ['b.txt', 540, 'brotli', 0],
    ],
  );
});

test('standard output takes it as well, and a file that is there only by force', async (t) => {
  const { at } = await prepare(t);
  const args = ['compress', at('model'), at('files', 'a.m'), '-o'];
  const { status, stdout } = await run(t, [...args, '-']);
  assert.equal(status, 0);
  writeFileSync(at('x.ardm'), 'former');
  const refused = await run(t, [...args, at('x.ardm')]);
  assert.deepEqual([refused.status, readFileSync(at('x.ardm'), 'utf8')], [2, 'former']);
  assert.match(refused.stderr, /x\.ardm is there already: give another name with --out, or .* --force\n$/);
  assert.equal((await run(t, [...args, at('x.ardm'), '--force'])).status, 0);
  assert.deepEqual(readFileSync(at('x.ardm')), stdout);
});

test('what can’t be done ends in one line and leaves no file', async (t) => {
  const { home, at } = await prepare(t);
  mkdirSync(at('again'));
  mkdirSync(at('none'));
  writeFileSync(at('again', 'a.m'), '');
  writeFileSync(at('again', 'new\nline'), '');
  const [model, a, out] = [at('model'), at('files', 'a.m'), ['-o', at('x.ardm')]];
  const before = readdirSync(home).toSorted();
  const told: [args: string[], status: number, line: RegExp][] = [
    [[at('nowhere'), a, ...out], 1, /nowhere: there is no checkpoint/],
    [[model, at('nowhere'), ...out], 1, /can't read .*nowhere: there is none/],
    [[model, at('files'), ...out], 2, /files is a folder: compress the files in it with -r, or name them/],
    [[model, at('none'), '-r', ...out], 2, /none: there are no files/],
    [[model, a, at('again', 'a.m'), ...out], 2, /files\/a\.m and .*again\/a\.m are both called a\.m/],
    [[model, a, a, ...out], 2, /are both called a\.m, and folders are not kept/],
    [[model, at('again', 'new\nline'), ...out], 2, /this name can't be kept, for it has control characters/],
    [[model, '/dev/null', ...out], 2, /\/dev\/null is no file or folder/],
    [[model, a, at('noise')], 2, /name the compressed file of several inputs with --out/],
    [[model, a, '-o', a, '--force'], 2, /a\.m is one of the inputs: give another name/],
    [[model, a, '-o', at('no', 'x')], 1, /can't write .*no\/x: ENOENT/],
    [[model, a, '-o', at('files'), '--force'], 1, /files is no regular file/],
    [[model, a, '-o', '-', '--json'], 2, /--json needs standard output for itself/],
    [[model, a, ...out, '--fast', '--exact-everywhere'], 2, /cannot be used with option '--fast'/],
    [[model, a, ...out, '--gpu', '0'], 2, /--gpu, --engine, --provider and --threads need --fast/],
    [[model, a, ...out, '--budget', '0'], 2, /It must be a whole number from 1/],
    [[model, a, ...out, '--budget', '17'], 2, /budget of 17 network calls/],
    [[model], 2, /missing required argument 'input'/],
  ];
  for (const [args, status, line] of told) {
    const result = await run(t, ['compress', ...args]);
    assert.deepEqual([result.status, result.stdout.length], [status, 0], result.stderr);
    assert.match(result.stderr, new RegExp(`ardm: [^]*${line.source}[^]*\n$`));
  }
  assert.deepEqual(readdirSync(home).toSorted(), before);
});

test('links and what is no file are passed over in folders, aloud', async (t) => {
  const { at } = await prepare(t);
  symlinkSync(at('files'), at('files', 'below', 'round'));
  const { status, stderr } = await run(t, ['compress', at('model'), at('files'), '-r', '-o', at('x.ardm')]);
  assert.equal(status, 0);
  assert.match(stderr, /passed over .*round: no file or folder\n3 files by model/);
  assert.deepEqual(Object.keys(await filesOf(readFileSync(at('x.ardm')), await coderOf(at('model')))), [
    ...['a.m', '.hidden', 'b.txt'],
  ]);
});

test('an engine that decodes otherwise than it encodes costs only bytes, and --no-verify leaves that out', async (t) => {
  const { at } = await prepare(t);
  const args = ['compress', at('model'), at('files', 'a.m'), '-o', at('x.ardm'), '--json', '--force'];
  const other = madeUpCoding({ decode: async (_, streams) => new Uint8Array(16 * streams.length) });
  const { stdout, stderr } = await run(t, args, other);
  assert.match(stderr, /\na\.m is packed without the model: other bytes come back\n/);
  assert.equal(JSON.parse(stdout.toString()).files[0].method, 'stored');
  const careless = await run(t, [...args, '--no-verify'], other);
  assert.equal(JSON.parse(careless.stdout.toString()).files[0].method, 'bytes');
});

test('a bug and Ctrl-C while coding leave nothing', async (t) => {
  const { home, at } = await prepare(t);
  const before = readdirSync(home).toSorted();
  const broken = madeUpCoding({
    encode: async () => {
      throw new TypeError('a bug');
    },
  });
  const args = ['compress', at('model'), at('files', 'a.m'), '-o', at('x.ardm')];
  const bug = await run(t, args, broken);
  assert.equal(bug.status, 99);
  assert.match(bug.stderr, /this is a bug, please report it with these lines:\nTypeError: a bug/);
  const stopped = madeUpCoding({
    encode: async () => {
      process.emit('SIGINT', 'SIGINT');
      return Array.from({ length: 3 }, () => new Uint8Array(1));
    },
  });
  const stop = await run(t, args, stopped);
  assert.equal(stop.status, 130);
  assert.match(stop.stderr, /\nardm: stopped by SIGINT\n$/);
  assert.deepEqual(readdirSync(home).toSorted(), before);
});

async function coderOf(model: string) {
  const nothing = { signal: new AbortController().signal, onCall: () => undefined };
  assert.equal(await readFile(model, 'utf8'), HASH);
  return madeUpCoding().open(model, nothing);
}
