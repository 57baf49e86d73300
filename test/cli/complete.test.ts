import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'fast-png';
import { openDataset } from '../../shared/data/open.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { planPolicy } from '../../shared/method/plan.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { seenComponents } from '../../shared/method/seen-components.js';
import { Completer } from '../../shared/model/complete.js';
import { renderCompletions, type Completed } from '../../shared/render/completions.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { ardm } from './ardm.js';
import { tinyRun, type TinyRun } from './tiny-checkpoint.js';

/** On one thread, as `direct`. */
const complete = (t: TestContext, home: string, ...args: string[]) =>
  ardm(t, home, 'complete', '--threads', '1', ...args);

async function prepare(t: TestContext): Promise<{ home: string; run: TinyRun }> {
  const home = await temporaryFolder(t);
  return { home, run: await tinyRun(home) };
}

/** An image of 4 x 4, and its upper half known. */
const pixels = Uint8Array.from({ length: 16 }, (_, i) => 10 * i);
const upper = new Uint8Array(16).fill(1, 0, 8);
const save = (home: string, name: string, data: ArrayLike<number>, channels = 1, side = 4) =>
  writeFileSync(
    path.join(home, name),
    encode({ width: side, height: side, channels, depth: 8, data: Uint8Array.from(data) }),
  );

/** The completions of a run's seed, from the library. */
async function direct(run: TinyRun, examples: Uint8Array, num: number, policy: Int32Array, mask = upper) {
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const completer = await Completer.create(engine, run.description, run.config.model, 2);
  return completer.run({ parameters: run.ema, seed: 7, examples, mask, num, policy });
}

const kindOf = ({ description }: TinyRun) => ({ medium: { kind: 'image' as const }, ...description });

test('examples of the test split are completed beside the originals, a row each', async (t) => {
  const { home, run } = await prepare(t);
  const { status, stdout, stderr } = await complete(
    t,
    home,
    'run',
    'test:1-2',
    '--known',
    '0.5',
    '--num',
    '3',
  );
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /^3 completions of test:1-2, 8 of 16 variables unknown, by step 3 of tiny, 6 calls each; onnxruntime /,
  );
  const dataset = await openDataset(run.config.data, { baseFolder: '.', fetch: false });
  const inputs = new Uint8Array(32);
  for (const i of [0, 1]) dataset.test.read(i + 1, inputs.subarray(16 * i, 16 * (i + 1)));
  const policy = naivePolicy(8, 6).map((step) => step + 8);
  const { examples, logLikelihoods } = await direct(run, inputs, 3, policy);
  const at = (i: number) => examples.subarray(16 * i, 16 * (i + 1));
  const rows = [0, 1].map((n): Completed => ({
    ...{ name: `test:${n + 1}`, input: inputs.subarray(16 * n, 16 * (n + 1)), isWhole: true },
    completions: [n, n + 2, n + 4].map((i) => ({ classes: at(i), logLikelihood: logLikelihoods[i]! })),
  }));
  const [expected] = renderCompletions(rows, upper, kindOf(run));
  assert.deepEqual(new Uint8Array(readFileSync(path.join(home, 'tiny-completions.png'))), expected!.bytes);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0]!, /input +completion +log-likelihood \(bits\) +bits per dimension/);
  assert.match(lines[4]!, new RegExp(`test:2 +1 +${logLikelihoods[1]!.toFixed(2)} +\\d+\\.\\d{4}`));
  assert.deepEqual([lines.length, lines.at(-1)], [8, 'tiny-completions.png']);
});

test('a half-transparent file, a mask, rows and a share say the same', async (t) => {
  const { home, run } = await prepare(t);
  save(home, 'image.png', pixels);
  const lower = upper.map((known) => 255 * known);
  const alpha = [...pixels].flatMap((x, i) => [x, lower[i]!]);
  save(home, 'alpha.png', alpha, 2);
  save(home, 'mask.png', lower);
  const { examples, logLikelihoods } = await direct(
    run,
    pixels,
    2,
    naivePolicy(8, 6).map((step) => step + 8),
  );
  const pictures = new Set<string>();
  for (const args of [
    'alpha.png',
    'image.png --mask mask.png',
    'image.png --known 0.5',
    'image.png --unknown 2:',
    'image.png --unknown 2:3 --unknown 3:4',
  ]) {
    const given = ['run', ...args.split(' '), '--num', '2', '-o', 'x.png', '--json'];
    const { status, stdout, stderr } = await complete(t, home, ...given);
    assert.equal(status, 0, stderr);
    const { inputs, unknown } = JSON.parse(stdout);
    assert.equal(unknown, 8);
    const found = inputs[0].completions.map((of: { logLikelihood: number }) => of.logLikelihood);
    assert.deepEqual(found, [...logLikelihoods], args);
    pictures.add(readFileSync(path.join(home, 'x.png')).toString('base64'));
  }
  assert.equal(pictures.size, 1);
  assert.deepEqual(examples.subarray(0, 8), pixels.subarray(0, 8));
});

test('a budget is of what is unknown: planned on its own components, or the steps of a file', async (t) => {
  const { home, run } = await prepare(t);
  save(home, 'image.png', pixels);
  writeFileSync(path.join(home, 'p.json'), '[0, 3, 9, 14]');
  const components = seenComponents(run.components, 1).subarray(8);
  const planned = planPolicy(components, 4).policy.map((step) => step + 8);
  for (const [args, policy] of [
    ['--budget 4 --policy planned', planned],
    ['--budget 8', naivePolicy(8, 8).map((step) => step + 8)],
    ['--policy p.json', Int32Array.of(8, 9, 14)],
  ] as const) {
    const given = ['run', 'image.png', '--known', '0.5', '--num', '2', '--json', ...args.split(' ')];
    const { status, stdout, stderr } = await complete(t, home, ...given);
    assert.equal(status, 0, stderr);
    const { calls, inputs } = JSON.parse(stdout);
    const { logLikelihoods } = await direct(run, pixels, 2, policy);
    assert.equal(calls, policy.length, args);
    const found = inputs[0].completions.map((of: { logLikelihood: number }) => of.logLikelihood);
    assert.deepEqual(found, [...logLikelihoods], args);
  }
});

test('--frames adds a film from the input to the whole, and --json tells where all is', async (t) => {
  const { home } = await prepare(t);
  save(home, 'image.png', pixels);
  const args = ['run', 'image.png', '--random-known', '0.25', '--num', '2', '--frames', '3', '-o', 'a.png'];
  const { status, stdout, stderr } = await complete(t, home, ...args, '--json');
  assert.equal(status, 0, stderr);
  const { sha256, engine, seconds, inputs, ...result } = JSON.parse(stdout);
  assert.deepEqual(result, {
    path: path.join(home, 'a.png'),
    framesPath: path.join(home, 'a-frames.png'),
    files: [path.join(home, 'a.png'), path.join(home, 'a-frames.png')],
    checkpoint: path.join('run', 'checkpoints', 'step-00000003'),
    ...{ step: 3, variables: 16, unknown: 12, num: 2, calls: 6, seed: 7, frames: 3 },
  });
  assert.deepEqual([sha256.length, inputs.length, seconds > 0], [64, 1, true]);
  assert.match(engine, /^onnxruntime /);
  const [grid, film] = ['a.png', 'a-frames.png'].map((name) => decode(readFileSync(path.join(home, name))));
  assert.deepEqual([film!.width, film!.height], [3 * 98 + 2, 2 * 98 + 2]);
  /** The level of a pixel in a cell of a grid. */
  const level = ({ data, width }: typeof film & object, row: number, column: number, i: number) =>
    data[(row * 98 + 2 + Math.floor(i / 4) * 24) * width + column * 98 + 2 + (i % 4) * 24]!;
  const levels = (of: typeof film & object, row: number, column: number) =>
    [...pixels.keys()].map((i) => level(of, row, column, i));
  const numKnown = levels(film!, 0, 0).filter((x, i) => x === pixels[i] && x !== 128).length;
  assert.equal(numKnown, 4);
  assert.equal(levels(film!, 0, 0).filter((x) => x === 128).length, 12);
  assert.deepEqual(levels(film!, 0, 2), levels(grid!, 0, 1));
  assert.deepEqual(levels(film!, 1, 2), levels(grid!, 0, 2));
});

test('what can’t be done ends in one line before anything is computed', async (t) => {
  const { home } = await prepare(t);
  save(home, 'image.png', pixels);
  save(home, 'large.png', new Uint8Array(25), 1, 5);
  save(home, 'rgb.png', new Uint8Array(48), 3);
  save(home, 'alpha.png', new Array(16).fill([7, 0]).flat(), 2);
  save(home, 'grey.png', pixels);
  writeFileSync(path.join(home, 'empty'), '');
  const there = readdirSync(home);
  const told: [args: string, status: number, line: RegExp][] = [
    ['image.png', 2, /nothing is unknown in image\.png: say what is with --known 0\.5, .*--mask FILE/],
    ['image.png --known 1', 2, /nothing of the input is unknown/],
    ['image.png --known 2', 2, /'2' is invalid\. It must be a share from 0 to 1/],
    ['image.png --known 0.5 --unknown 1:2', 2, /'--known <share>' cannot be used with option '--unknown/],
    ['alpha.png --known 0.5', 2, /alpha\.png says itself what is unknown, by transparent pixels/],
    ['large.png --known 0.5', 1, /large\.png is 5x5 grey, but the model's images are 4x4 grey/],
    ['rgb.png --known 0.5', 1, /rgb\.png is 4x4 RGB, but the model's images are 4x4 grey/],
    ['empty --known 0.5', 1, /empty is no whole PNG file/],
    ['nowhere.png --known 0.5', 1, /can't read nowhere\.png: ENOENT/],
    ['image.png --mask large.png', 1, /the mask large\.png is 5x5, but the model's images are 4x4/],
    ['image.png --mask grey.png', 1, /grey\.png: the grey level is 10 in row 0, column 1/],
    ['image.png --mask nowhere.png', 1, /can't read nowhere\.png: ENOENT/],
    ['image.png --unknown 3:5', 2, /--unknown 3:5 is no range: give rows as begin:end, from 0 to 4/],
    ['image.png --unknown 1s:2s', 2, /--unknown 1s:2s is no range/],
    ['image.png --unknown :', 2, /--unknown : is no range/],
    ['image.png --gap x --known 0.5', 2, /--gap is for texts/],
    ['test:99 --known 0.5', 2, /the test split of images has the examples 0 to \d+/],
    ['test:2-1 --known 0.5', 2, /give one, such as test:0, or some, such as test:0-8/],
    ['image.png --known 0.5 --budget 9', 2, /budget of 9 network calls cannot generate 8 variables/],
    ['image.png --known 0.5 --num 10000 --frames 2', 2, /20000 pictures, .*: lower --num/],
    ['test:0-1 --known 0.5 --num 9999', 2, /9999 completions of 2 inputs are 19998, .*: lower --num/],
    ['image.png --known 0.5 --frames 8', 2, /--frames 8: a sample of 6 network calls has 7 states/],
    ['image.png --known 0.5 -o x.wav', 2, /--out x\.wav: .*Give a name that ends in \.png/],
    ['image.png --known 0.5 -o missing/x.png', 1, /can't write missing\/x\.png: ENOENT/],
  ];
  for (const [args, status, line] of told) {
    const result = await complete(t, home, 'run', ...args.split(' '));
    assert.deepEqual([result.status, result.stdout], [status, ''], `${args}: ${result.stderr}`);
    assert.match(result.stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  assert.deepEqual(readdirSync(home), there);
});

test('Ctrl-C ends a long completion at once and leaves no file', async (t) => {
  const { home } = await prepare(t);
  save(home, 'image.png', pixels);
  const there = readdirSync(home);
  const args = ['complete', 'run', 'image.png', '--known', '0.5', '--cpu', '--num', '10000'];
  const command = new Command(t, 'cli', args, { cwd: home });
  while (!command.stderr.includes('10000 completions')) await sleep(10);
  command.kill('SIGINT');
  assert.equal(await command.exit(), 130);
  assert.match(command.stderr, /\nardm: stopped by SIGINT\n$/);
  assert.deepEqual(readdirSync(home), there);
});
