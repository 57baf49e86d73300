import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFolder } from '../../shared/data/folder.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawEvaluation } from '../../shared/method/evaluation.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { tinyRun, type TinyRun } from './tiny-checkpoint.js';

/** Runs `ardm eval --cpu ...` in `home`. */
async function evaluate(t: TestContext, home: string, ...args: string[]) {
  const command = new Command(t, 'cli', ['eval', '--cpu', ...args], { cwd: home });
  const status = await command.exit();
  return { status, stdout: command.stdout, stderr: command.stderr };
}

async function prepare(t: TestContext): Promise<{ home: string; run: TinyRun }> {
  const home = await temporaryFolder(t);
  return { home, run: await tinyRun(home) };
}

/** The bound of the first test examples, as workers compute it for a run. */
async function direct(run: TinyRun, numExamples: number): Promise<number[]> {
  const { config, description, ema: parameters } = run;
  const { test: split } = await openFolder(config.data.folder!, 0.5);
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const evaluator = await Evaluator.create(engine, description, config.model, 4);
  const values: number[] = [];
  for (let first = 0; first < numExamples; first += 4) {
    const count = Math.min(4, numExamples - first);
    const examples = new Uint8Array(count * 16);
    for (let i = 0; i < count; i++) split.read(first + i, examples.subarray(i * 16, (i + 1) * 16));
    const part = {
      seed: 7,
      pass: 0,
      first,
      count,
      numExamples,
      numVariables: 16,
      mode: 'antithetic',
    } as const;
    values.push(...(await evaluator.run({ parameters, examples, ...drawEvaluation(part) })).elbo);
  }
  return values;
}

test('the bound is that of the run’s own evaluation, by the moving average', async (t) => {
  const { home, run } = await prepare(t);
  const { status, stdout, stderr } = await evaluate(t, home, 'run', '--examples', '6', '--json');
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /^6 test examples of images, 1 pass, by step 3 of tiny; onnxruntime .*\n2 of 2 network calls/,
  );
  const { sha256, engine, seconds, bitsPerDim, standardError, ...result } = JSON.parse(stdout);
  assert.deepEqual(result, {
    checkpoint: path.join('run', 'checkpoints', 'step-00000003'),
    ...{ step: 3, data: 'images', split: 'test', examples: 6, passes: 1, seed: 7, budgets: [] },
  });
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.match(engine, /^onnxruntime .*, cpu, /);
  assert.ok(seconds > 0);

  const values = await direct(run, 6);
  const mean = values.reduce((a, b) => a + b) / 6;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5;
  assert.ok(Math.abs(bitsPerDim + mean) < 1e-12);
  assert.ok(Math.abs(standardError - Math.sqrt(variance / 6)) < 1e-12);
});

test('budgets give a table, all test examples by default, the same for the same seed', async (t) => {
  const { home, run } = await prepare(t);
  const { test: split } = await openFolder(run.config.data.folder!, 0.5);
  const args = ['run', '--passes', '2', '--budget', '4', '--budget', '1'];
  const { status, stdout, stderr } = await evaluate(t, home, ...args);
  assert.equal(status, 0, stderr);
  assert.match(stderr, new RegExp(`^${split.count} test examples of images, 2 passes`));
  const row = String.raw`\d\.\d{4} ± 0\.\d{4}\n`;
  assert.match(stdout, new RegExp(`^  calls  bits per dimension\n {5}16  ${row} {6}4  ${row} {6}1  ${row}$`));
  assert.equal((await evaluate(t, home, ...args)).stdout, stdout);
  assert.notEqual((await evaluate(t, home, ...args, '--seed', '8')).stdout, stdout);

  const { budgets, examples } = JSON.parse((await evaluate(t, home, ...args, '--json')).stdout);
  assert.equal(examples, split.count);
  const told = stdout.split('\n').slice(2, 4);
  budgets.forEach(({ budget, bitsPerDim, standardError }: Record<string, number>, i: number) =>
    assert.equal(told[i]!.trim(), `${budget}  ${bitsPerDim!.toFixed(4)} ± ${standardError!.toFixed(4)}`),
  );
});

test('what can’t be evaluated ends in one line', async (t) => {
  const { home } = await prepare(t);
  const told: [args: string, status: number, line: RegExp][] = [
    ['nowhere', 1, /nowhere: there is no checkpoint/],
    [
      'run --data cifar10',
      2,
      /data set cifar10 is 32x32x3 of 256 classes, but the model was made for 4x4x1 of 256 classes/,
    ],
    ['run --data imagenet', 2, /argument 'imagenet' is invalid\. Allowed choices are mnist, /],
    ['run --budget 20', 2, /budget of 20 network calls cannot generate 16 variables: give 1 to 16/],
    [
      'run --budget 4 --budget x',
      2,
      /'--budget <calls>' argument 'x' is invalid\. It must be a whole number/,
    ],
    ['run --gpu 0', 2, /'--gpu <n>' cannot be used with option '--cpu'/],
  ];
  for (const [args, status, line] of told) {
    const result = await evaluate(t, home, ...args.split(' '));
    assert.deepEqual([result.status, result.stdout], [status, ''], args);
    assert.match(result.stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
});

test('Ctrl-C ends a long evaluation at once', async (t) => {
  const { home } = await prepare(t);
  const command = new Command(t, 'cli', ['eval', 'run', '--cpu', '--passes', '1000'], { cwd: home });
  while (!command.stderr.includes('1000 passes')) await sleep(10);
  command.kill('SIGINT');
  assert.equal(await command.exit(), 130);
  assert.deepEqual(command.stdout, '');
  assert.match(command.stderr, /\nardm: stopped by SIGINT\n$/);
});
