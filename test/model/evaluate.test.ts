import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawEvaluation } from '../../shared/method/evaluation.js';
import { fixedOrderBound, policyRange, randomOrderBound } from '../../shared/method/policy.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { TINY_TRANSFORMER, tinyExamples, tinyModel, tinyModelOf } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const model = tinyModel();
const { config, description, parameters } = model;
const evaluator = await Evaluator.create(engine, description, config, 8);
const draw = (numExamples: number, first = 0, count = numExamples) =>
  drawEvaluation({
    ...{ seed: 1, pass: 0, first, count, numExamples, numPositions: 32 },
    ...{ steps: description, mode: 'antithetic' },
  });
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a fresh model spends about log2 K bits a variable', async () => {
  const fresh = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 0, fresh);
  const elbos: number[] = [];
  for (let first = 0; first < 64; first += 8) {
    const examples = tinyExamples(model, 8, first);
    const { elbo } = await evaluator.run({ parameters: fresh, examples, ...draw(64, first, 8) });
    elbos.push(mean(elbo));
  }
  const bitsPerDim = -mean(Float64Array.from(elbos));
  assert.ok(bitsPerDim > Math.log2(5) && bitsPerDim < 1.5 * Math.log2(5), `${bitsPerDim}`);
});

test('the three estimates of an example come from one log-likelihood', async () => {
  const { timeSteps, orders } = draw(8);
  const examples = tinyExamples(model, 8);
  const { elbo, elboOfT, nce } = await evaluator.run({ parameters, examples, orders, timeSteps });
  timeSteps.forEach((t, i) => {
    assert.ok(elbo[i]! < 0);
    assert.ok(Math.abs(elboOfT[i]! * 32 - elbo[i]!) < 1e-12);
    assert.ok(Math.abs((nce[i]! * 32) / (32 - t) - elbo[i]!) < 1e-12);
  });
});

test('a short batch has the numbers it has in a full one', async () => {
  const { orders, timeSteps } = draw(8);
  const examples = tinyExamples(model, 8);
  const full = await evaluator.run({ parameters, examples, orders, timeSteps });
  const short = await evaluator.run({
    parameters,
    examples: examples.slice(0, 96),
    orders: orders.slice(0, 96),
    timeSteps: timeSteps.slice(0, 3),
  });
  assert.deepEqual(short.elbo, full.elbo.slice(0, 3));
});

test('the parts of the unknown variables add up to all of them', async () => {
  const { orders } = draw(8);
  const examples = tinyExamples(model, 8);
  const timeSteps = new Int32Array(8).fill(10);
  const bounds = async (ends?: Int32Array) =>
    (await evaluator.run({ parameters, examples, orders, timeSteps, ends })).nce;
  const all = await bounds();
  const some = await bounds(timeSteps.map(() => 20));
  some.forEach((value, i) => assert.ok(value < 0 && value > all[i]!));
  assert.deepEqual(await bounds(timeSteps.map(() => 32)), all);
  assert.deepEqual([...(await bounds(timeSteps))].map(Math.abs), new Array(8).fill(0));
});

test('more examples than the batch, or orders of another length, are refused', async () => {
  const nine = draw(9);
  await assert.rejects(evaluator.run({ parameters, examples: tinyExamples(model, 9), ...nine }), RangeError);
  const { timeSteps } = draw(8);
  const examples = tinyExamples(model, 8);
  await assert.rejects(evaluator.run({ parameters, examples, orders: nine.orders, timeSteps }), RangeError);
  const small = { ...draw(2), examples: tinyExamples(model, 1) };
  await assert.rejects(evaluator.run({ parameters, ...small }), { name: 'UserError' });
});

/** Every order of three variables. */
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

for (const [name, settings] of [
  ['a single stage', { network: TINY_TRANSFORMER }],
  ['two stages', { kind: 'upscale', upscale: { base: 3 }, network: TINY_TRANSFORMER }],
] as const)
  test(`${name}: over all orders and calls, the estimates of a policy average to its exact likelihood`, async () => {
    const model = tinyModelOf(settings, { shape: [1, 3, 1], numClasses: 7 });
    const { numStages, numSteps } = model.description;
    const examples = tinyExamples(model, 6).map((_, v, all) => all[v % 3]!);
    const evaluator = await Evaluator.create(engine, model.description, model.config, 6);
    const orders = Int32Array.from(ORDERS.flat());
    const run = async (step: number, end?: number) => {
      const ends = end === undefined ? undefined : new Int32Array(6).fill(end);
      const timeSteps = new Int32Array(6).fill(step);
      const { parameters } = model;
      const bounds = await evaluator.run({ parameters, examples, orders, timeSteps, ...(ends && { ends }) });
      return ORDERS.map((_, i) => ({
        ...{ elbo: bounds.elbo[i]!, elboOfT: bounds.elboOfT[i]!, nce: bounds.nce[i]! },
      }));
    };
    const stages = Array.from({ length: numStages }, (_, s) => 3 * s);
    for (const steps of [[0], [0, 1], [0, 2], [0, 1, 2]]) {
      const policy = Int32Array.from(stages.flatMap((begin) => steps.map((t) => begin + t)));
      const exact = new Float64Array(6);
      const fixed = new Float64Array(6);
      let random = 0;
      for (let j = 0; j < policy.length; j++) {
        const ofCall = await run(...policyRange(policy, j, numSteps));
        const ofAll = await run(policy[j]!);
        ofCall.forEach((bound, i) => {
          exact[i]! += bound.nce;
          fixed[i]! += fixedOrderBound(policy, bound) / policy.length;
        });
        for (const bound of ofAll)
          random += randomOrderBound(policy, j, numSteps, bound) / (6 * policy.length);
      }
      exact.forEach((value, i) => assert.ok(Math.abs(value - fixed[i]!) < 1e-9));
      assert.ok(Math.abs(random - mean(exact)) < 1e-6, `${random} is not ${mean(exact)}`);
      if (steps.length === 2) assert.ok(new Set(exact.map((x) => Math.fround(x))).size > 1, 'orders differ');
    }
  });
