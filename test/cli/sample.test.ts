import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode } from 'fast-png';
import { encodeGrid } from '../../shared/render/grid.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { Sampler } from '../../shared/model/sample.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { ardm } from './ardm.js';
import { saveCheckpoint, tinyRun, type TinyRun } from './tiny-checkpoint.js';

const sample = (t: TestContext, home: string, ...args: string[]) => ardm(t, home, 'sample', ...args);

async function prepare(t: TestContext): Promise<{ home: string; run: TinyRun }> {
  const home = await temporaryFolder(t);
  return { home, run: await tinyRun(home) };
}

test('the grid is that of the run’s own settings, by the moving average, where the person is', async (t) => {
  const { home, run } = await prepare(t);
  const { status, stdout, stderr } = await sample(t, home, 'run');
  assert.deepEqual([status, stdout], [0, 'tiny-samples.png\n']);
  assert.match(stderr, /^5 samples by step 3 of tiny, 6 calls each; onnxruntime .*, cpu, \d+ threads?\n/);
  assert.match(stderr, /\n18 of 18 network calls, .*\/s in \d+ s\n$/);
  const png = readFileSync(path.join(home, 'tiny-samples.png'));
  const { width, height, channels } = decode(png);
  assert.deepEqual([width, height, channels], [3 * 98 + 2, 2 * 98 + 2, 1]);

  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const sampler = await Sampler.create(engine, run.description, run.config.model, 2);
  const policy = naivePolicy(16, 6);
  const images = await sampler.run({ parameters: run.ema, seed: 7, first: 0, count: 5, policy });
  assert.deepEqual(new Uint8Array(png), new Uint8Array(encodeGrid(images, [4, 4, 1], 256, 3)));
  assert.deepEqual(readdirSync(home).toSorted(), ['images', 'run', 'tiny-samples.png']);
});

test('a seed gives the same images, however many are asked for and however often', async (t) => {
  const { home } = await prepare(t);
  const images = async (...args: string[]) => {
    const { status, stderr } = await sample(t, home, 'run', '-o', 'x.png', ...args);
    assert.equal(status, 0, stderr);
    return decode(readFileSync(path.join(home, 'x.png'))).data;
  };
  // One row: the first image, then the others.
  const [one, two] = [await images('--seed', '1', '--num', '1'), await images('--seed', '1', '--num', '2')];
  for (let y = 0; y < 98; y++)
    assert.deepEqual(two.subarray(y * 198, y * 198 + 98), one.subarray(y * 100, y * 100 + 98));
  assert.deepEqual(await images('--seed', '1', '--num', '2', '--threads', '1'), two);
  assert.notDeepEqual(await images('--seed', '2', '--num', '2'), two);
  assert.notDeepEqual(await images('--seed', '1', '--num', '2', '--budget', '16'), two);
});

test('--frames adds a film, and --json tells where both are and what made them', async (t) => {
  const { home, run } = await prepare(t);
  const args = ['--num', '3', '--budget', '4', '--seed', '9', '--frames', '5', '--out', 'a.png', '--json'];
  const { status, stdout } = await sample(t, home, 'run', ...args);
  assert.equal(status, 0);
  const { sha256, engine, seconds, ...result } = JSON.parse(stdout);
  assert.deepEqual(result, {
    path: path.join(home, 'a.png'),
    framesPath: path.join(home, 'a-frames.png'),
    files: [path.join(home, 'a.png'), path.join(home, 'a-frames.png')],
    checkpoint: path.join('run', 'checkpoints', 'step-00000003'),
    ...{ step: 3, num: 3, calls: 4, seed: 9, frames: 5 },
  });
  const manifest = readFileSync(
    path.join(run.folder, 'checkpoints', 'step-00000003', 'manifest.json'),
    'utf8',
  );
  assert.equal(sha256, JSON.parse(manifest).sha256);
  assert.match(engine, /^onnxruntime .*, cpu, /);
  assert.ok(seconds > 0);

  const grid = decode(readFileSync(result.path));
  const film = decode(readFileSync(result.framesPath));
  assert.deepEqual([film.width, film.height], [5 * 98 + 2, 3 * 98 + 2]);
  const cell = ({ data, width }: typeof film, row: number, column: number) =>
    Array.from({ length: 98 }, (_, y) => [
      ...data.subarray((row * 98 + y) * width + column * 98, (row * 98 + y) * width + (column + 1) * 98),
    ]);
  assert.ok(
    cell(film, 1, 0)
      .flat()
      .every((value) => value === 128),
  );
  assert.deepEqual(cell(film, 1, 4), cell(grid, 0, 1));
  assert.deepEqual(cell(film, 2, 4), cell(grid, 1, 0));
});

test('a damaged checkpoint is passed over, aloud', async (t) => {
  const { home, run } = await prepare(t);
  const newer = await saveCheckpoint(run, 8);
  assert.match((await sample(t, home, 'run')).stderr, /^5 samples by step 8/);
  truncateSync(path.join(newer, 'ema.safetensors'), 100);
  const { status, stderr } = await sample(t, home, 'run');
  assert.equal(status, 0);
  assert.match(stderr, /^passed over .*step-00000008: ema\.safetensors .*\n5 samples by step 3 of tiny/);
});

test('what can’t be done ends in one line before anything is computed', async (t) => {
  const { home, run } = await prepare(t);
  const told: [args: string, status: number, line: RegExp][] = [
    ['nowhere', 1, /nowhere: there is no checkpoint/],
    ['images', 1, /images: there is no checkpoint/],
    ['run -o missing/x.png', 1, /can't write missing\/x\.png: ENOENT/],
    ['run -o images', 1, /images is no regular file: name another with --out/],
    ['run --budget 17', 2, /budget of 17 network calls cannot generate 16 variables: give 1 to 16/],
    ['run --frames 8', 2, /--frames 8: a sample of 6 network calls has 7 states/],
    ['run --frames 6 --num 2000', 2, /--frames 6 of 2000 samples are 12000 pictures, .*: lower --num/],
    ['run -o x.txt', 2, /--out x\.txt: samples of images are a PNG\. Give a name that ends in \.png/],
    ['run --num 0', 2, /'--num <n>' argument '0' is invalid\. It must be a whole number from 1 to 10000/],
    ['run --provider cuda', 2, /--cpu --provider cuda contradict each other/],
    ['', 2, /missing required argument 'run'\. --help tells more/],
  ];
  for (const [args, status, line] of told) {
    const result = await sample(t, home, ...args.split(' ').filter(Boolean));
    assert.deepEqual([result.status, result.stdout], [status, ''], args);
    assert.match(result.stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  truncateSync(path.join(run.folder, 'checkpoints', 'step-00000003', 'manifest.json'), 10);
  const { status, stderr } = await sample(t, home, 'run');
  assert.equal(status, 1);
  assert.match(stderr, /^ardm: .*checkpoints has no good checkpoint:\n.*step-00000003: manifest\.json/);
  assert.deepEqual(readdirSync(home).toSorted(), ['images', 'run']);
});

test('Ctrl-C ends a long sample at once and leaves no file', async (t) => {
  const { home } = await prepare(t);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const args = ['sample', 'run', '--cpu', '--num', '10000', '--budget', '16'];
    const command = new Command(t, 'cli', args, { cwd: home });
    while (!command.stderr.includes('10000 samples')) await sleep(10);
    const killed = performance.now();
    command.kill(signal);
    assert.equal(await command.exit(), code);
    assert.ok(performance.now() - killed < 5000);
    assert.match(command.stderr, new RegExp(`\nardm: stopped by ${signal}\n$`));
    assert.ok(!existsSync(path.join(home, 'tiny-samples.png')));
    assert.deepEqual(readdirSync(home).toSorted(), ['images', 'run']);
  }
});
