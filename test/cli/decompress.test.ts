import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { decode } from 'fast-png';
import { packageRoot } from '../../shared/package.js';
import { covered, pattern } from '../compression/made-up.js';
import { containerOf, entriesOf } from '../compression/files.js';
import { noise } from '../data/archives.js';
import { temporaryFolder } from '../data/temporary.js';
import { inFolder, madeUpCoding, run } from './made-up-coding.js';

const HASH = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);

const FILES = {
  'a.m': covered([1, 2, 3]),
  'b.txt': Buffer.from('the cat sat on the mat and '.repeat(20)),
  'a.m.part': covered([4, 5], 20),
  empty: new Uint8Array(),
  'c.m': covered([6]),
};

/** A folder with a made-up model and a compressed file. */
async function prepare(t: TestContext, ...args: string[]) {
  const home = await temporaryFolder(t);
  const at = inFolder(home);
  writeFileSync(at('model'), HASH);
  writeFileSync(at('other'), OTHER);
  mkdirSync(at('files'));
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(at('files', name), bytes);
  const inputs = Object.keys(FILES).map((name) => at('files', name));
  const made = await run(t, ['compress', at('model'), ...inputs, '-o', at('x.ardm'), ...args]);
  assert.equal(made.status, 0, made.stderr);
  return { home, at };
}

const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]));
const buffers = Object.fromEntries(Object.entries(FILES).map(([name, bytes]) => [name, Buffer.from(bytes)]));

test('every file comes back byte for byte, in a folder that is made', async (t) => {
  const { at } = await prepare(t);
  const { status, stdout } = await run(t, [
    ...['decompress', at('x.ardm'), '-o', at('new', 'back'), '--model', at('model')],
  ]);
  assert.equal(status, 0);
  assert.equal(
    stdout.toString(),
    Object.keys(FILES)
      .map((name) => `${at('new', 'back', name)}\n`)
      .join(''),
  );
  assert.deepEqual(contents(at('new', 'back')), buffers);
});

test('standard input is read from start to end', async (t) => {
  const { at } = await prepare(t);
  const stdin = Readable.from(Array.from(readFileSync(at('x.ardm')), (byte) => Buffer.of(byte)));
  const mocked = t.mock.getter(process, 'stdin', () => stdin as typeof process.stdin);
  const args = ['decompress', '-', '-o', at('back'), '--model', at('model'), '--json'];
  const { status, stdout } = await run(t, args);
  mocked.mock.restore();
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout.toString()), {
    model: '0123456789abcdef',
    files: Object.entries(FILES).map(([name, { length }]) => ({ path: at('back', name), bytes: length })),
  });
  assert.deepEqual(contents(at('back')), buffers);
});

test('the model is searched for in ARDM_MODELS: a folder that is one, or has one in it', async (t) => {
  const { home, at } = await prepare(t);
  const models = inFolder(await temporaryFolder(t));
  writeFileSync(models('good.safetensors'), HASH);
  writeFileSync(models('bad.safetensors'), OTHER);
  mkdirSync(models('empty'));
  const before = process.env.ARDM_MODELS;
  t.after(() => (before === undefined ? delete process.env.ARDM_MODELS : (process.env.ARDM_MODELS = before)));
  const decompress = (to: string) => run(t, ['decompress', at('x.ardm'), '-o', at(to)]);
  for (const [i, folders] of [
    [models()],
    [at('nowhere'), models('empty'), models()],
    [at('model')],
  ].entries()) {
    process.env.ARDM_MODELS = folders.join(path.delimiter);
    const { status, stderr } = await decompress(`back ${i}`);
    assert.equal(status, 0, stderr);
  }
  process.env.ARDM_MODELS = models('bad.safetensors');
  const wrong = await decompress('wrong');
  assert.equal(
    wrong.stderr,
    `ardm: ${at('x.ardm')} was written with the model 0123456789abcdef, which is none of the 1 models in ${models('bad.safetensors')} (ARDM_MODELS). Give it with --model\n`,
  );
  delete process.env.ARDM_MODELS;
  const missing = await decompress('missing');
  assert.match(missing.stderr, /with the model 0123456789abcdef\. Folders to look for it in can be named in/);
  const given = await run(t, ['decompress', at('x.ardm'), '-o', at('given'), '--model', at('other')]);
  assert.match(given.stderr, /the model 0123456789abcdef, and .*other is the model fedcba9876543210: give/);
  assert.ok(![...readdirSync(home)].some((name) => ['wrong', 'missing', 'given'].includes(name)));
});

test('files that need no model come back without one', async (t) => {
  const { at } = await prepare(t);
  writeFileSync(at('y.ardm'), await containerOf(await entriesOf({ n: noise(50), e: new Uint8Array() })));
  assert.equal((await run(t, ['decompress', at('y.ardm'), '-o', at('back')])).status, 0);
  assert.deepEqual(contents(at('back')), { n: Buffer.from(noise(50)), e: Buffer.alloc(0) });
});

test('--only gives one example: a file that is one, or a picture of one of several', async (t) => {
  const { at } = await prepare(t);
  // Numbered: a.m 0-2, b.txt 3, a.m.part 4-5, empty 6, c.m 7.
  const only = async (n: number) => {
    const args = ['decompress', at('x.ardm'), '--model', at('model'), '-o', at(`${n}`), '--only', String(n)];
    const { status, stderr } = await run(t, args);
    assert.equal(status, 0, stderr);
    const [[name, bytes]] = Object.entries(contents(at(`${n}`))) as [[string, Buffer]];
    return { name, bytes, stderr };
  };
  for (const [n, name] of [
    [3, 'b.txt'],
    [6, 'empty'],
    [7, 'c.m'],
  ] as const)
    assert.deepEqual(await only(n).then(({ name, bytes }) => [name, bytes]), [name, buffers[name]]);
  const second = await only(1);
  assert.equal(second.name, 'a-1.png');
  const { width, height, channels, data } = decode(second.bytes);
  assert.deepEqual([height, width, channels, data], [4, 2, 2, pattern(2)]);
  assert.match(second.stderr, /^16 of 16 network calls/);
  const cut = await only(5);
  assert.equal(cut.name, 'a.m-1.png');
  assert.deepEqual(decode(cut.bytes).data, pattern(5).subarray(0, 4));
  const none = await run(t, ['decompress', at('x.ardm'), '--model', at('model'), '--only', '8']);
  assert.deepEqual(none.status, 1);
  assert.match(none.stderr, /--only 8: .*x\.ardm has 8 examples, counted from 0/);
});

test('a file that is there is kept, and told of before anything is computed; --force replaces it', async (t) => {
  const { at } = await prepare(t);
  mkdirSync(at('back'));
  writeFileSync(at('back', 'c.m'), 'mine');
  const args = ['decompress', at('x.ardm'), '-o', at('back'), '--model', at('model')];
  const { status, stderr } = await run(t, args);
  assert.equal(status, 1);
  assert.match(stderr, /^ardm: .*c\.m is there already: choose another folder with --out, or .* --force\n$/);
  assert.deepEqual(contents(at('back')), { 'c.m': Buffer.from('mine') });
  assert.equal((await run(t, [...args, '--force'])).status, 0);
  assert.deepEqual(contents(at('back')), buffers);
});

test('names that lead elsewhere are refused, and links are not followed', async (t) => {
  const { home, at } = await prepare(t);
  const [entry] = await entriesOf({ x: Buffer.from('x') });
  for (const name of ['../up', '..', '/tmp/x', 'a/b', 'a\\b', '', '.', 'x'.repeat(256)]) {
    writeFileSync(at('evil.ardm'), await containerOf([{ ...entry!, name }]));
    const { status, stderr } = await run(t, ['decompress', at('evil.ardm'), '-o', at('back')]);
    assert.equal(status, 1, name);
    assert.match(stderr, /^ardm: a file in it is called ".*", and can't be written, for it /);
  }
  const before = readdirSync(home).toSorted();
  assert.ok(!before.includes('up') && !before.includes('back'));
  mkdirSync(at('back'));
  writeFileSync(at('target'), 'mine');
  symlinkSync(at('target'), at('back', 'x'));
  writeFileSync(at('good.ardm'), await containerOf([entry!]));
  await run(t, ['decompress', at('good.ardm'), '-o', at('back'), '--force']);
  assert.equal(readFileSync(at('target'), 'utf8'), 'mine');
  assert.equal(readFileSync(at('back', 'x'), 'utf8'), 'x');
});

test('an engine that computes other bits is refused before it computes', async (t) => {
  const { home, at } = await prepare(t);
  const back = ['--model', at('model'), '-o', at('back')];
  const other = madeUpCoding({ engine: { kind: 'exact', runtime: 'made-up 2', wasm: '1', graph: '2' } });
  const exact = await run(t, ['decompress', at('x.ardm'), ...back], other);
  assert.match(exact.stderr, /x\.ardm was written by ardm .*, which computes other bits than this one: use/);
  const args = [
    'compress',
    at('model'),
    at('files', 'a.m'),
    '-o',
    at('fast.ardm'),
    '--fast',
    '--threads',
    '2',
  ];
  assert.equal((await run(t, args)).status, 0);
  const fast = await run(t, ['decompress', at('fast.ardm'), ...back, '--threads', '3']);
  assert.match(
    fast.stderr,
    /with --fast on made-up of 2 threads, and this is made-up of 3 threads: decompress/,
  );
  assert.ok(!readdirSync(home).includes('back'));
  assert.equal((await run(t, ['decompress', at('fast.ardm'), ...back, '--threads', '2'])).status, 0);
});

test('damage is told with its place, and wrong bytes are never written', async (t) => {
  const { home, at } = await prepare(t);
  const whole = readFileSync(at('x.ardm'));
  for (let at_ = 0; at_ < whole.length; at_++) {
    const altered = Buffer.from(whole);
    altered[at_]! ^= 0x10;
    writeFileSync(at('y.ardm'), altered);
    const out = at(`back ${at_}`);
    const { status, stderr } = await run(t, ['decompress', at('y.ardm'), '-o', out, '--model', at('model')]);
    assert.equal(status, 1, `${at_}: ${stderr}`);
    assert.doesNotMatch(stderr, /this is a bug/);
    if (!readdirSync(home).includes(`back ${at_}`)) continue;
    for (const [name, bytes] of Object.entries(contents(out))) assert.deepEqual(bytes, buffers[name]);
  }
});

test('a full disk is told of, and nothing half-written is left', async (t) => {
  const { at } = await prepare(t);
  writeFileSync(at('y.ardm'), await containerOf(await entriesOf({ small: noise(50), large: noise(50_000) })));
  // Of files: 4 kB, or 8 where the shell counts in kilobytes.
  const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath];
  const bin = path.join(packageRoot, 'dist', 'cli', 'bin.js');
  const args = [bin, 'decompress', at('y.ardm'), '-o', at('back')];
  const { status, stdout, stderr } = spawnSync('sh', [...limited, ...args], { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [1, `${at('back', 'small')}\n`]);
  assert.match(stderr, /^ardm: can't write .*large: EFBIG.*\n$/);
  assert.deepEqual(readdirSync(at('back')), ['small']);
});

test('what can’t be done ends in one line', async (t) => {
  const { at } = await prepare(t);
  writeFileSync(at('blocked'), '');
  const model = ['--model', at('model')];
  const told: [args: string[], status: number, line: RegExp][] = [
    [[at('nowhere')], 1, /can't read .*nowhere: there is none/],
    [[at('files')], 1, /files is a folder: name a file/],
    [[at('model')], 1, /model is no file that ardm compress wrote/],
    [[at('x.ardm'), ...model, '-o', at('blocked')], 1, /can't make the folder .*blocked: EEXIST/],
    [[at('x.ardm'), ...model, '-o', at('blocked', 'x')], 1, /can't make the folder .*: ENOTDIR/],
    [
      [at('x.ardm'), ...model, '-o', at('back'), '--max-size', '100'],
      1,
      /b\.txt is to have 540 bytes, and 51 are left of what --max-size/,
    ],
    [[at('x.ardm'), '--max-size', '0'], 2, /It must be a whole number from 1/],
    [[], 2, /missing required argument 'file'/],
  ];
  for (const [args, status, line] of told) {
    const result = await run(t, ['decompress', ...args]);
    assert.deepEqual([result.status, result.stdout.length], [status, 0], result.stderr);
    assert.match(result.stderr, new RegExp(`ardm: .*${line.source}.*\n$`));
  }
});
