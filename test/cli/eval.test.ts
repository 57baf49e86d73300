import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode } from 'fast-png';
import { openText } from '../../shared/data/text.js';
import { openFolder } from '../../shared/data/folder.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawEvaluation } from '../../shared/method/evaluation.js';
import { drawOrder } from '../../shared/method/orders.js';
import { planStages } from '../../shared/method/plan.js';
import { naivePolicy, policyRange } from '../../shared/method/policy.js';
import { seenComponents } from '../../shared/method/seen-components.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { ardm } from './ardm.js';
import { tinyRun, type TinyRun } from './tiny-checkpoint.js';

const evaluate = (t: TestContext, home: string, ...args: string[]) => ardm(t, home, 'eval', ...args);

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
      numPositions: 16,
      steps: description,
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
    ...{ step: 3, data: 'images', split: 'test', examples: 6, passes: 1, seed: 7 },
    ...{ policy: 'naive', budgets: [] },
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
  assert.match(stdout, new RegExp(`^  calls  bits per dimension\n {5}16 +${row} {6}4 +${row} {6}1 +${row}$`));
  assert.equal((await evaluate(t, home, ...args)).stdout, stdout);
  assert.notEqual((await evaluate(t, home, ...args, '--seed', '8')).stdout, stdout);

  const { budgets, examples } = JSON.parse((await evaluate(t, home, ...args, '--json')).stdout);
  assert.equal(examples, split.count);
  const told = stdout.split('\n').slice(2, 4);
  budgets.forEach(({ budget, calls, bitsPerDim, standardError }: Record<string, number>, i: number) => {
    assert.equal(calls, budget);
    const value = `${bitsPerDim!.toFixed(4)} ± ${standardError!.toFixed(4)}`;
    assert.deepEqual(told[i]!.trim().split(/ {2,}/), [String(budget), value]);
  });
});

test('planned budgets tell what they were planned to cost; exact likelihoods say how many calls they take', async (t) => {
  const { home, run } = await prepare(t);
  const args = ['run', '--examples', '4', '--budget', '3', '--policy', 'planned', '--exact'];
  const { status, stdout, stderr } = await evaluate(t, home, ...args);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /\nexact likelihoods take 3 network calls\n5 of 5 network calls/);
  assert.match(stdout, /^ {2}calls {2}bits per dimension {2}planned {2}exact in one order\n/);
  const row = /^ {6}3 +\S+ ± \S+ {3}(\S+) +(\S+) ± \S+$/m.exec(stdout)!;
  const { policy, cost } = planStages(seenComponents(run.components, 1), 1, 3);
  assert.equal(row[1], cost.toFixed(4));

  const json = JSON.parse((await evaluate(t, home, ...args, '--json')).stdout);
  assert.equal(json.policy, 'planned');
  assert.equal(json.exact, undefined, 'of the budgets alone');
  const [planned] = json.budgets;
  assert.deepEqual([planned.budget, planned.calls, planned.planned], [3, 3, cost]);
  assert.equal(planned.exact.bitsPerDim.toFixed(4), row[2]);
  assert.ok(Math.abs(planned.exact.bitsPerDim - (await exactly(run, policy))) < 1e-9);
});

/** The exact bits of the first four test examples in the order of the run's seed. */
async function exactly(run: TinyRun, policy: Int32Array): Promise<number> {
  const { config, description, ema: parameters } = run;
  const { test: split } = await openFolder(config.data.folder!, 0.5);
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const evaluator = await Evaluator.create(engine, description, config.model, 4);
  const examples = new Uint8Array(64);
  for (let i = 0; i < 4; i++) split.read(i, examples.subarray(i * 16, (i + 1) * 16));
  const order = drawOrder(stream(7, PURPOSE.evaluationOrder), 16);
  const orders = Int32Array.from([0, 1, 2, 3].flatMap(() => [...order]));
  let bits = 0;
  for (let j = 0; j < policy.length; j++) {
    const [begin, end] = policyRange(policy, j, 16);
    const [timeSteps, ends] = [new Int32Array(4).fill(begin), new Int32Array(4).fill(end)];
    const { nce } = await evaluator.run({ parameters, examples, orders, timeSteps, ends });
    bits -= nce.reduce((a, b) => a + b) / 4;
  }
  return bits;
}

test('a policy file is evaluated as a budget is', async (t) => {
  const { home } = await prepare(t);
  writeFileSync(path.join(home, 'four.json'), JSON.stringify([...naivePolicy(16, 4)]));
  const args = ['run', '--examples', '4', '--json'];
  const file = JSON.parse((await evaluate(t, home, ...args, '--policy', 'four.json')).stdout);
  const budget = JSON.parse((await evaluate(t, home, ...args, '--budget', '4')).stdout);
  assert.deepEqual(
    file.budgets,
    [{ ...budget.budgets[0], budget: undefined }].map(({ budget: _, ...rest }) => rest),
  );
  const both = await evaluate(t, home, ...args, '--policy', 'four.json', '--budget', '4');
  assert.deepEqual([both.status, both.stdout], [2, '']);
});

for (const [kind, unit, numCalls] of [
  ['upscale', 'bits per dimension', 32],
  ['text', 'bits per character', 12],
  ['audio', 'bits per sample', 128],
] as const)
  test(`${kind}: budgets are of a stage, and bits have their name`, async (t) => {
    const home = await temporaryFolder(t);
    await tinyRun(home, kind);
    const args = ['run', '--examples', '2', '--budget', '2', '--budget', '3', '--policy', 'planned'];
    const { status, stdout, stderr } = await evaluate(t, home, ...args);
    assert.equal(status, 0, stderr);
    const [head, whole, ...budgets] = stdout.trimEnd().split('\n');
    assert.match(head!, new RegExp(`^ +calls +${unit} +planned$`));
    assert.equal(whole!.trim().split(' ')[0], String(numCalls));
    const numStages = kind === 'text' ? 1 : 2;
    assert.deepEqual(
      budgets.map((line) => Number(line.trim().split(' ')[0])),
      [2 * numStages, 3 * numStages],
    );
  });

test('data that have changed since the training are told of', async (t) => {
  const home = await temporaryFolder(t);
  const { config } = await tinyRun(home, 'text', { dataHash: '0'.repeat(64) });
  const { status, stdout, stderr } = await evaluate(t, home, 'run', '--examples', '2');
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /^words\.txt has changed since run\S+ was trained on it: it may have seen .* the test split\n/,
  );
  const { hash } = await openText(config.data.file!, { ...config.data, length: 12 });
  await tinyRun(path.join(home, 'again'), 'text', { dataHash: hash! });
  const again = await evaluate(t, home, path.join('again', 'run'), '--examples', '2');
  assert.equal(again.stdout, stdout);
  assert.doesNotMatch(again.stderr, /has changed/);
});

test('a text has a validation split too', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home, 'text');
  const bits = async (split: string) => {
    const { stdout, stderr } = await evaluate(t, home, 'run', '--split', split, '--json');
    assert.match(stderr, new RegExp(`^\\d+ ${split} examples of words\\.txt`));
    return JSON.parse(stdout);
  };
  const [first, second] = [await bits('validation'), await bits('test')];
  assert.deepEqual([first.split, second.split], ['validation', 'test']);
  assert.notEqual(first.bitsPerDim, second.bitsPerDim);
});

for (const kind of ['arm', 'permuted'] as const)
  test(`one call gives all of an example's likelihood by a ${kind} model; a budget is refused`, async (t) => {
    const home = await temporaryFolder(t);
    await tinyRun(home, kind);
    const { status, stdout, stderr } = await evaluate(t, home, 'run', '--examples', '4', '--exact', '--json');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /exact likelihoods take 1 network calls\n2 of 2 network calls/);
    const { bitsPerDim, exact } = JSON.parse(stdout);
    const isSame = Math.abs(bitsPerDim - exact.bitsPerDim) < 1e-9;
    assert.equal(isSame, kind === 'arm', 'an order of its own for each example, or the same');
    const refused = await evaluate(t, home, 'run', '--budget', '4');
    assert.deepEqual([refused.status, refused.stdout], [2, '']);
    assert.match(refused.stderr, /^ardm: a budget of 4 does not fit: this model generates one variable/);
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
    ['run --split validation', 2, /data set images has no validation split: evaluate its test split/],
    [
      'run --data imagenet',
      2,
      /--data imagenet: there is no such file, and no such published set: these are mnist, /,
    ],
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

test('a file of whole examples is evaluated as a set is', async (t) => {
  const { home, run } = await prepare(t);
  const { test: split } = await openFolder(run.config.data.folder!, 0.5);
  const data = new Uint8Array(10 * 4);
  const examples = [0, 1].map((i) => {
    const example = new Uint8Array(16);
    split.read(i, example);
    return example;
  });
  // Two examples side by side, and beside and below them what is no whole one.
  examples.forEach((example, i) =>
    example.forEach((x, v) => (data[Math.floor(v / 4) * 10 + 4 * i + (v % 4)] = x)),
  );
  writeFileSync(path.join(home, 'two.png'), encode({ width: 10, height: 4, channels: 1, data }));
  const { status, stdout, stderr } = await evaluate(t, home, 'run', '--data', 'two.png', '--json');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^1 examples at the edge of two\.png are not whole, and are left out/);
  const found = JSON.parse(stdout);
  assert.deepEqual([found.data, found.examples], ['two.png', 2]);
  const values = await direct(run, 2);
  assert.ok(Math.abs(found.bitsPerDim + (values[0]! + values[1]!) / 2) < 1e-12);
});

test('coding for real takes what the bound says and little more, beside other compressors', async (t) => {
  const { home } = await prepare(t);
  const { status, stdout, stderr } = await evaluate(
    t,
    home,
    ...['run', '--examples', '4', '--compress', '4', '--budget', '3', '--exact', '-o', 'results.md'],
  );
  assert.equal(status, 0, stderr);
  const [, whole, budget, , , ...codecs] = stdout.split('\n');
  const cells = budget!.trim().split(/ {2,}/);
  const [exact, coded] = [cells.at(-2), cells.at(-1)].map((cell) => Number(cell!.split(' ')[0]));
  assert.equal(whole!.trim().split(/ {2,}/).length, 2, 'the model itself is not coded beside a budget');
  assert.ok(coded! > exact! && coded! < exact! + 32 / 16, `${exact} and ${coded}`);
  for (const name of ['PNG', 'brotli'])
    assert.ok(
      codecs.some((line) => line.includes(name)),
      stdout,
    );
  const markdown = readFileSync(path.join(home, 'results.md'), 'utf8');
  assert.match(
    markdown,
    /^tiny, step 3: 4 test examples of images, 1 pass\n\n\| calls \| bits per dimension \|/,
  );
  assert.match(readFileSync(path.join(home, 'results.svg'), 'utf8'), /^<svg .*bound.*coded.*brotli/s);
});
