import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { stageAndTime } from '../../shared/method/bound.js';
import type { Classes } from '../../shared/method/classes.js';
import { drawOrder, orderInSequence } from '../../shared/method/orders.js';
import { naivePolicy, policyRange } from '../../shared/method/policy.js';
import { stageMapOf } from '../../shared/model/description.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { ExampleGenerator, type State } from '../../shared/model/generator.js';
import { exampleSize, ModelInputs } from '../../shared/model/inputs.js';
import { outputsProgram } from '../../shared/model/program.js';
import { drawnWith } from '../../shared/model/sample.js';
import { createOutput } from '../../shared/outputs/create.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { ANY_ORDER, KINDS } from './kinds.js';
import type { TinyModel } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const BATCH = 2;

interface Grown {
  readonly samples: Classes;
  readonly policy: Int32Array;
  /** For each example an order a stage. */
  readonly orders: readonly (readonly Int32Array[])[];
  /** For each example its states, before the first call and after each. */
  readonly states: readonly (readonly State[])[];
  /** log p of what was drawn of each example, nats, as the outputs say that it was drawn from. */
  readonly nats: Float64Array;
}

/** Samples of a model, and how they came to be. */
async function grow(model: TinyModel, budget: number): Promise<Grown> {
  const { config, description, parameters } = model;
  const { numPositions, numStages, numContext, variablesPerPosition, shape, networkShape } = description;
  const random = stream(8, PURPOSE.sample);
  const orders = Array.from({ length: BATCH }, () =>
    Array.from({ length: numStages }, () =>
      networkShape.factorization === 'left-to-right'
        ? orderInSequence(numPositions)
        : drawOrder(random, numPositions),
    ),
  );
  const policy = naivePolicy(numPositions, budget, numStages);
  const output = createOutput(config, shape[2], description.numClasses);
  const inputs = new ModelInputs(description, config, outputsProgram(description, config, BATCH));
  const values = new Float64Array(output.numChoices);
  const nats = new Float64Array(BATCH);
  /** The noise of each variable's last draw. */
  const gumbels = orders.map(() => Array.from({ length: exampleSize(description) }, (): number[] => []));
  const size = exampleSize(description);
  const empty = new Int32Array(size).fill(description.absorbing).fill(0, 0, numContext);
  const states: State[][] = orders.map(() => [
    { classes: empty, known: new Uint8Array(size).fill(1, 0, numContext) },
  ]);
  const generator = await ExampleGenerator.create(engine, description, config, BATCH);
  const samples = await generator.run({
    parameters,
    policy,
    orders,
    choose: drawnWith((nth, _, v) => ({
      gumbel: (k) => (gumbels[nth]![v]![k] = random.gumbel()),
      uniform: () => random.inside(),
    })),
    onStep(j, now, outputs) {
      const [begin, end] = policyRange(policy, j, numStages * numPositions);
      const { stage, time } = stageAndTime(begin, numPositions);
      now.forEach(({ classes, known }, nth) => {
        const before = states[nth]!.at(-1)!;
        const order = orders[nth]![stage]!;
        for (let v = numContext; v < size; v++) {
          const position = Math.floor((v - numContext) / variablesPerPosition);
          if (order[position]! < time || order[position]! >= time + end - begin) continue;
          const channel = v % shape[2];
          const place = {
            ...{ row: nth, channel, location: inputs.locationOf(v, order) },
            ...{ numLocations: shape[0] * shape[1], stage, past: before.classes[v]! },
            earlier: [...classes.subarray(v - channel, v)],
          };
          output.logProbabilities(outputs, place, values);
          const choice = values.findIndex((_, k) => output.classOf(k, place) === classes[v]);
          nats[nth]! += values[choice]!;
          if (config.output !== 'softmax') continue;
          const perturbed = values.map((value, k) => value + (gumbels[nth]![v]![k] ?? 0));
          assert.equal(choice, perturbed.indexOf(Math.max(...perturbed)), 'the largest is drawn');
        }
        states[nth]!.push({ classes: classes.slice(), known: known.slice() });
      });
    },
  });
  return { samples, policy, orders, states, nats };
}

for (const [name, model] of Object.entries(KINDS)) {
  const { config, description } = model;
  const { numPositions, numStages, numContext, numVariables, networkShape, numSteps } = description;
  const size = exampleSize(description);
  const budgets = networkShape.factorization === 'any-order' ? [3, numPositions] : [numPositions];

  test(`${name}: every sample has classes of the data, and a context stays as it was`, async () => {
    for (const budget of budgets) {
      const { samples } = await grow(model, budget);
      assert.equal(samples.length, BATCH * size);
      assert.ok(samples.every((x) => x < description.numClasses));
      for (let nth = 0; nth < BATCH; nth++)
        assert.ok(samples.subarray(nth * size, nth * size + numContext).every((x) => x === 0));
      assert.ok(new Set(samples).size > 2, 'not all the same');
    }
  });

  test(`${name}: a call changes what it generates alone, and the last state is the sample`, async () => {
    const { samples, policy, orders, states } = await grow(model, budgets[0]!);
    states.forEach((film, nth) => {
      film.slice(1).forEach(({ classes, known }, j) => {
        const [begin, end] = policyRange(policy, j, numStages * numPositions);
        const { stage, time } = stageAndTime(begin, numPositions);
        const before = film[j]!;
        classes.forEach((x, v) => {
          const position = Math.floor((v - numContext) / description.variablesPerPosition);
          const rank = v < numContext ? -1 : orders[nth]![stage]![position]!;
          assert.equal(known[v], stage > 0 || rank < time + end - begin ? 1 : 0);
          if (rank < time || rank >= time + end - begin) assert.equal(x, before.classes[v]);
        });
      });
      assert.deepEqual([...film.at(-1)!.classes], [...samples.subarray(nth * size, (nth + 1) * size)]);
    });
  });

  test(`${name}: samples are drawn from what their evaluation in the same order scores`, async () => {
    for (const budget of budgets) {
      const { samples, policy, orders, nats } = await grow(model, budget);
      const evaluator = await Evaluator.create(engine, description, config, BATCH);
      const scored = new Float64Array(BATCH);
      const calls = numSteps === 1 ? [0] : [...policy];
      for (const [j, begin] of calls.entries()) {
        const { stage } = stageAndTime(begin, numPositions);
        const ranks = orders.flatMap((stages) => [...stages[stage]!]);
        const { nce } = await evaluator.run({
          parameters: model.parameters,
          examples: samples,
          orders: Int32Array.from(ranks),
          timeSteps: new Int32Array(BATCH).fill(begin),
          ends: new Int32Array(BATCH).fill(calls[j + 1] ?? numStages * numPositions),
        });
        nce.forEach((value, nth) => (scored[nth]! += value * numVariables * Math.LN2));
      }
      scored.forEach((value, nth) =>
        assert.ok(Math.abs(value - nats[nth]!) < 1e-4 * Math.abs(value), `${value} is not ${nats[nth]}`),
      );
    }
  });
}

for (const [name, model] of ANY_ORDER.filter(([, { description }]) => description.numStages > 1)) {
  const { config, description } = model;
  const { numStages, numPositions, numClasses, numContext } = description;

  test(`${name}: each stage turns a class into one of its children`, async () => {
    const map = stageMapOf(config, numClasses);
    const all = Array.from({ length: numClasses }, (_, x) => x);
    const { states } = await grow(model, 2);
    for (const film of states) {
      for (let stage = 0; stage < numStages; stage++) {
        const [before, after] = [film[2 * stage]!.classes, film[2 * stage + 2]!.classes];
        const children = new Map<number, Set<number>>();
        for (const x of all) {
          const past = map.coarsen(x, numStages - stage);
          children.set(past, (children.get(past) ?? new Set()).add(map.coarsen(x, numStages - 1 - stage)));
        }
        for (let v = numContext; v < after.length; v++)
          assert.ok(children.get(before[v]!)!.has(after[v]!), `${before[v]} to ${after[v]}`);
      }
    }
  });

  if (config.upscale.parametrization === 'direct')
    test(`${name}: digits build up, the most significant first`, async () => {
      const { base } = config.upscale;
      const { states, samples } = await grow(model, numPositions);
      states.forEach((film, nth) => {
        const size = film[0]!.classes.length;
        for (let stage = 0; stage < numStages; stage++) {
          const unit = base ** (numStages - 1 - stage);
          const { classes } = film[(stage + 1) * numPositions]!;
          classes.forEach((x, v) =>
            assert.equal(x, samples[nth * size + v]! - (samples[nth * size + v]! % unit)),
          );
        }
      });
    });
}
