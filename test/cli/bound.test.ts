import assert from 'node:assert/strict';
import test from 'node:test';
import { estimateBound } from '../../cli/bound.js';
import type { Engine } from '../../shared/engine/engine.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { tinyModel } from '../model/tiny-model.js';

const D = 32;
const { config, description, parameters } = tinyModel();

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

async function estimate(budget: number, numExamples: number, passes = 1) {
  const evaluator = await Evaluator.create(madeUp, description, config, 7);
  const split = { count: 1000, read: (_: number, into: Uint8Array) => into.fill(1) };
  const shared = { evaluator, description, parameters, split, batch: 7, seed: 5 };
  const setup = { ...shared, numExamples, passes, timeSteps: 'antithetic' } as const;
  return estimateBound(setup, naivePolicy(D, budget));
}

test('spread over all steps of a policy, the estimate is the cost of the policy', async () => {
  for (const budget of [1, 3, 4, 6, D]) {
    const policy = [...naivePolicy(D, budget), D];
    let cost = 0;
    for (let j = 0; j < budget; j++) cost += (policy[j + 1]! - policy[j]!) * nats(policy[j]!);
    const { bitsPerDim } = await estimate(budget, 96);
    assert.ok(Math.abs(bitsPerDim - cost / D / Math.LN2) < 1e-6, `${budget}: ${bitsPerDim}`);
  }
});

test('the standard error is that of the mean over examples', async () => {
  // One step of 11 variables and two of 10 and 11, whose values are drawn with frequencies of a third each.
  const values = [11 * nats(0), 10 * nats(11), 11 * nats(21)].map((cost) => (3 * cost) / D / Math.LN2);
  const mean = values.reduce((a, b) => a + b) / 3;
  const variance = values.reduce((sum, value) => sum + 16 * (value - mean) ** 2, 0) / 47;
  const { standardError } = await estimate(3, 48);
  assert.ok(Math.abs(standardError - Math.sqrt(variance / 48)) < 1e-6, `${standardError}`);
});

test('passes are averaged for each example, so they lower the error', async () => {
  const once = await estimate(2, 40);
  const often = await estimate(2, 40, 16);
  assert.ok(Math.abs(once.bitsPerDim - often.bitsPerDim) < 1e-9);
  const ratio = often.standardError / once.standardError;
  assert.ok(ratio > 0.15 && ratio < 0.35, `${ratio}, where the square root of 1/16 is expected`);
});
