import assert from 'node:assert/strict';
import test from 'node:test';
import { estimateBound, exactLikelihood, numExactCalls } from '../../cli/bound.js';
import type { Engine } from '../../shared/engine/engine.js';
import type { Classes } from '../../shared/method/classes.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { KINDS } from '../model/kinds.js';
import { recordingEngine, tinyModel, type TinyModel } from '../model/tiny-model.js';

const D = 32;
const model = tinyModel();

/** Nats that each unknown variable costs a made-up model that knows `numKnown`. */
const nats = (numKnown: number) => 1 + 1 / (numKnown + 1);

/** Computes the likelihood of the made-up model. */
const madeUp: Engine = {
  name: 'reference',
  provider: 'cpu',
  description: 'made up',
  compile: (program) =>
    Promise.resolve({
      program,
      run: ({ inputs, outputs }) => {
        outputs.logLikelihood!.forEach((_, row) => {
          const sum = (name: string) =>
            (inputs[name] as Float32Array).subarray(row * D, (row + 1) * D).reduce((a, b) => a + b, 0);
          outputs.logLikelihood![row] = -sum('scored') * nats(sum('mask'));
        });
        return Promise.resolve();
      },
      dispose: () => Promise.resolve(),
    }),
  dispose: () => Promise.resolve(),
};

async function setupOf(numExamples: number, passes = 1, on: Engine = madeUp, of: TinyModel = model) {
  const { config, description, parameters } = of;
  const evaluator = await Evaluator.create(on, description, config, 7);
  const split = { count: 1000, read: (_: number, into: Classes) => into.fill(1) };
  const shared = { evaluator, description, parameters, split, batch: 7, seed: 5 };
  return { ...shared, numExamples, passes, timeSteps: 'antithetic' } as const;
}

const estimate = async (budget: number, numExamples: number, passes = 1) =>
  estimateBound(await setupOf(numExamples, passes), naivePolicy(D, budget));

/** Bits per dimension of the made-up model's policy. */
function costOf(policy: Int32Array): number {
  const ends = [...policy.slice(1), D];
  return ends.reduce((sum, end, j) => sum + (end - policy[j]!) * nats(policy[j]!), 0) / D / Math.LN2;
}

test('spread over all steps of a policy, the estimate is the cost of the policy', async () => {
  for (const budget of [1, 3, 4, 6, D]) {
    const { bitsPerDim } = await estimate(budget, 96);
    assert.ok(Math.abs(bitsPerDim - costOf(naivePolicy(D, budget))) < 1e-6, `${budget}: ${bitsPerDim}`);
  }
});

test('the standard error is that of the mean over examples', async () => {
  // Calls at steps 0, 11 and 21, drawn 33, 30 and 33 times.
  const values = [0, 11, 21].flatMap((begin, j) =>
    Array.from({ length: [33, 30, 33][j]! }, () => nats(begin) / Math.LN2),
  );
  const mean = values.reduce((a, b) => a + b) / 96;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 95;
  const { standardError } = await estimate(3, 96);
  assert.ok(Math.abs(standardError - Math.sqrt(variance / 96)) < 1e-6, `${standardError}`);
});

test('calls of very different lengths add no noise of their own', async () => {
  const policy = Int32Array.of(0, 1, 2, 3, 20);
  const { bitsPerDim, standardError } = await estimateBound(await setupOf(96), policy);
  assert.ok(Math.abs(bitsPerDim - costOf(policy)) < 1e-6, `${bitsPerDim}`);
  // The first variable costs 2 nats, the last ones hardly more than 1.
  assert.ok(standardError < 1 / Math.LN2 / Math.sqrt(96), `${standardError}`);
});

test('passes are averaged for each example, so they lower the error', async () => {
  const once = await estimate(2, 40);
  const often = await estimate(2, 40, 16);
  assert.ok(Math.abs(once.bitsPerDim - often.bitsPerDim) < 1e-9);
  const ratio = often.standardError / once.standardError;
  assert.ok(ratio > 0.15 && ratio < 0.35, `${ratio}, where the square root of 1/16 is expected`);
});

test('the exact likelihood is the sum of all calls of a policy, without any error of sampling', async () => {
  for (const budget of [1, 3, D]) {
    const policy = naivePolicy(D, budget);
    const { bitsPerDim, standardError } = await exactLikelihood(await setupOf(9), policy);
    assert.ok(Math.abs(bitsPerDim - costOf(policy)) < 1e-6, `${budget}: ${bitsPerDim}`);
    assert.ok(standardError < 1e-7);
  }
});

test('the exact likelihood takes as many calls a batch as it says, all in one order', async () => {
  for (const [name, numCalls] of [
    ['images without stages', 4],
    ['stages, data parametrisation', 12],
    ['text left to right', 1],
    ['text in any order, permuted', 1],
  ] as const) {
    const { engine, calls } = recordingEngine();
    const of = KINDS[name]!;
    const { numPositions, numStages } = of.description;
    const policy = naivePolicy(numPositions, 4, numStages);
    await exactLikelihood(await setupOf(9, 1, engine, of), policy);
    assert.equal(numExactCalls(of.description, policy), numCalls);
    assert.equal(calls.length, 2 * numCalls, 'two batches');
    // Each variable of each example is scored once in each stage, in the same call as that of any other example.
    const size = calls[0]!.scored!.length / 7;
    const total = new Float64Array(size);
    for (const { scored } of calls.slice(0, numCalls)) {
      for (let v = 0; v < size; v++) total[v]! += scored![v]!;
      for (let row = 1; row < 7; row++)
        assert.deepEqual(scored!.slice(row * size, (row + 1) * size), scored!.slice(0, size));
    }
    assert.ok(total.every((count) => count === numStages));
    if (numStages > 1)
      assert.notDeepEqual(calls[0]!.scored, calls[4]!.scored, 'stages have orders of their own');
  }
});

test('a model that one call evaluates has the same bound whatever the time step', async () => {
  const { engine, calls } = recordingEngine();
  const of = KINDS['text in any order, permuted']!;
  await estimateBound(await setupOf(9, 2, engine, of), naivePolicy(8, 8));
  assert.equal(calls.length, 4, 'two batches, two passes');
  assert.ok(calls[0]!.scored!.every((scored) => scored === 1));
  assert.notDeepEqual(
    calls[0]!.positions!.slice(0, 8),
    calls[0]!.positions!.slice(8, 16),
    'orders of their own',
  );
});
