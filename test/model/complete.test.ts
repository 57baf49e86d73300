import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { stageAndTime } from '../../shared/method/bound.js';
import { naivePolicy, policyRange } from '../../shared/method/policy.js';
import type { Classes } from '../../shared/method/classes.js';
import { policyOfSpan } from '../../shared/method/span.js';
import {
  checkCompletable,
  Completer,
  drawCompletionOrders,
  spanOf,
  type CompleteCall,
} from '../../shared/model/complete.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { exampleSize } from '../../shared/model/inputs.js';
import { Sampler } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { KINDS } from './kinds.js';
import { tinyExamples } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const [BATCH, SEED, INPUTS, NUM] = [2, 5, 2, 3];

for (const [name, model] of Object.entries(KINDS)) {
  const { config, description, parameters } = model;
  const { numPositions, numStages, numContext, numVariables, networkShape, shape } = description;
  const size = exampleSize(description);
  const numPlaces = shape[0] * shape[1] - numContext;
  const isSequence = networkShape.factorization === 'left-to-right';
  const inputs = tinyExamples(model, INPUTS);
  const random = stream(2, PURPOSE.sample);
  // The first is known, the second and the last are not, whatever is between.
  const mixed = Uint8Array.from({ length: numPlaces }, (_, place) => {
    const known = isSequence
      ? place < 3
      : place === 0 || (place > 1 && place < numPlaces - 1 && random.below(2) === 0);
    return known ? 1 : 0;
  });
  const placeOf = (i: number) => Math.floor(((i % size) - numContext) / shape[2]);

  /** A call for each of the unknown positions, where `budget` is absent. */
  function policyFor(mask: Uint8Array, budget?: number): Int32Array {
    const span = spanOf(mask, description);
    const length = span.end - span.begin;
    return policyOfSpan(naivePolicy(length, budget ?? length, numStages), numPositions, span);
  }

  async function complete(mask = mixed, some: Partial<CompleteCall> = {}) {
    const completer = await Completer.create(engine, description, config, BATCH);
    const call = { parameters, seed: SEED, examples: inputs, mask, num: NUM, policy: policyFor(mask) };
    return completer.run({ ...call, ...some });
  }

  /** log2 p(what was filled in | what is known, order, policy) of the first batch of completions, by the evaluator. */
  async function likelihoodsOf(examples: Classes, mask: Uint8Array, policy: Int32Array) {
    const evaluator = await Evaluator.create(engine, description, config, BATCH);
    const orders = [0, 1].map((i) =>
      drawCompletionOrders(stream(SEED, PURPOSE.sample, i), mask, description),
    );
    const bits = [0, 0];
    for (const [j, begin] of policy.entries()) {
      const { stage } = stageAndTime(begin, numPositions);
      const [, next] = policyRange(policy, j, numStages * numPositions);
      const end = Math.min(next, stage * numPositions + spanOf(mask, description).end);
      const { nce } = await evaluator.run({
        parameters,
        examples: examples.subarray(0, BATCH * size),
        orders: Int32Array.from(orders.flatMap((stages) => [...stages[stage]!])),
        timeSteps: new Int32Array(BATCH).fill(begin),
        ends: new Int32Array(BATCH).fill(end),
      });
      nce.forEach((value, nth) => (bits[nth]! += value * numVariables));
    }
    return bits;
  }

  test(`${name}: what is known is kept, and nothing is read of what stood at unknown places`, async () => {
    const { examples, logLikelihoods } = await complete();
    const isKnown = (i: number) => i % size < numContext || mixed[placeOf(i)] === 1;
    examples.forEach((x, i) => {
      if (isKnown(i)) assert.equal(x, inputs[i % inputs.length]);
    });
    const noise = tinyExamples(model, INPUTS, 9);
    const others = inputs.map((x, i) => (isKnown(i) ? x : noise[i]!));
    assert.notDeepEqual(others, inputs);
    assert.deepEqual(await complete(mixed, { examples: others }), { examples, logLikelihoods });
  });

  test(`${name}: where nothing is known, completions are samples`, async () => {
    const nothing = new Uint8Array(numPlaces);
    const input = inputs.slice(0, size).fill(0, 0, numContext);
    const { examples } = await complete(nothing, { examples: input });
    const sampler = await Sampler.create(engine, description, config, BATCH);
    const policy = naivePolicy(numPositions, numPositions, numStages);
    const samples = await sampler.run({ parameters, seed: SEED, first: 0, count: NUM, policy });
    assert.deepEqual(examples, samples);
  });

  test(`${name}: the likelihood of a completion is the model's own`, async () => {
    const masks = numStages === 1 ? [mixed, mixed.slice(0, -1)] : [mixed];
    for (const mask of masks)
      for (const budget of networkShape.factorization === 'any-order' ? [undefined, 1] : [undefined]) {
        const policy = policyFor(mask, budget);
        const { examples, logLikelihoods } = await complete(mask, { policy });
        const expected = await likelihoodsOf(examples, mask, policy);
        expected.forEach((bits, i) => {
          assert.ok(bits < 0);
          assert.ok(
            Math.abs(logLikelihoods[i]! - bits) < 1e-4 * (1 - bits),
            `${logLikelihoods[i]} for ${bits}`,
          );
        });
      }
  });

  test(`${name}: a completion is the same however many are asked for`, async () => {
    const [some, more] = [await complete(), await complete(mixed, { num: NUM + 2 })];
    assert.deepEqual(more.examples.subarray(0, some.examples.length), some.examples);
    assert.deepEqual(more.logLikelihoods.subarray(0, NUM * INPUTS), some.logLikelihoods);
  });
}

test('places that are left out come last in each order and are of class 0', async () => {
  const { config, description, parameters } = KINDS.text!;
  const mask = Uint8Array.of(1, 0, 1, 0, 0);
  const [order] = drawCompletionOrders(stream(0, PURPOSE.sample), mask, description);
  const ranksAt = (places: number[]) => places.map((place) => order![place]!).toSorted();
  assert.deepEqual(
    [ranksAt([0, 2]), ranksAt([1, 3, 4]), ranksAt([5, 6, 7])],
    [
      [0, 1],
      [2, 3, 4],
      [5, 6, 7],
    ],
  );
  const completer = await Completer.create(engine, description, config, BATCH);
  const policy = Int32Array.of(2, 3, 4);
  const call = { parameters, seed: SEED, mask, num: 2, policy };
  const { examples } = await completer.run({ ...call, examples: new Uint8Array(8).fill(7) });
  assert.deepEqual([...examples.subarray(5, 8), ...examples.subarray(13)], [0, 0, 0, 0, 0, 0]);
});

test('what a model cannot do is refused', () => {
  const check = (kind: string, ...mask: number[]) =>
    checkCompletable(Uint8Array.from(mask), KINDS[kind]!.description);
  assert.throws(() => check('text', 1, 1, 1), /nothing of the input is unknown/);
  assert.throws(() => check('text left to right', 1, 1, 0, 0, 1, 0), {
    name: 'UsageError',
    message: /from left to right .*: 2 is unknown, but 4 is known .*Leave unknown all from 2 on/,
  });
  check('text left to right', 1, 1, 0, 0);
  check('text in any order, permuted', 1, 1, 0, 0, 1, 0);
  assert.throws(() => check('vowels first', 1, 0), /needs all of an example's 6 characters: the input has 2/);
});
