import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { summarize } from '../../shared/method/bound.js';
import { drawOrder } from '../../shared/method/orders.js';
import { drawTimeSteps } from '../../shared/method/time-steps.js';
import { SliceTrainer } from '../../shared/model/train-slice.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { recordingEngine, tinyExamples, tinyModel } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const BATCH = 4;

/** Runs a batch slice by slice: statistics in order, gradients summed. */
async function runBatch(
  model: ReturnType<typeof tinyModel>,
  sliceSize: number,
  parameters = model.parameters,
) {
  const { config, description } = model;
  const trainer = await SliceTrainer.create(engine, description, config, {
    batch: BATCH,
    sliceSize,
    seed: 3,
  });
  const examples = tinyExamples(model, BATCH);
  const gradients = new Float32Array(parameters.length);
  const [timeSteps, logLikelihoods]: [number[], number[]] = [[], []];
  for (let first = 0; first < BATCH; first += sliceSize) {
    const part = new Float32Array(parameters.length).fill(NaN);
    const result = await trainer.run({
      parameters,
      gradients: part,
      step: 7,
      firstPosition: first,
      examples: examples.slice(first * 32, (first + sliceSize) * 32),
    });
    timeSteps.push(...result.timeSteps);
    logLikelihoods.push(...result.logLikelihoods);
    part.forEach((value, i) => (gradients[i]! += value));
  }
  return { timeSteps, logLikelihoods, gradients };
}

const norm = (values: Float32Array) => Math.hypot(...values);

for (const [name, model] of [
  ['uniform time steps', tinyModel()],
  ['antithetic time steps', tinyModel({ timeSteps: 'antithetic' })],
  ['dropout', tinyModel({}, 0.3)],
] as const)
  test(`with ${name} the slices of a batch add up to the batch`, async () => {
    const [whole, cut] = [await runBatch(model, BATCH), await runBatch(model, 1)];
    assert.deepEqual(cut.timeSteps, whole.timeSteps);
    whole.logLikelihoods.forEach((value, i) => assert.ok(Math.abs(value - cut.logLikelihoods[i]!) < 1e-4));
    const difference = whole.gradients.map((value, i) => value - cut.gradients[i]!);
    assert.ok(norm(difference) < 1e-5 * norm(whole.gradients));
  });

test('the gradient is that of the reported loss, cross-entropy term included', async () => {
  const model = tinyModel({ ceWeight: 0.5 });
  const { gradients } = await runBatch(model, 2);
  const length = norm(gradients);
  const lossAt = async (distance: number) => {
    const moved = model.parameters.map((value, i) => value + (distance * gradients[i]!) / length);
    const { timeSteps, logLikelihoods } = await runBatch(model, 2, moved);
    return summarize(timeSteps, logLikelihoods, 32, 0.5).loss;
  };
  const slope = ((await lossAt(1e-3)) - (await lossAt(-1e-3))) / 2e-3;
  assert.ok(Math.abs(slope / length - 1) < 2e-3, `${slope} is not ${length}`);
});

test('the network is given the known classes channels first, the mask, and what to predict', async () => {
  const model = tinyModel();
  const { engine: recorder, calls } = recordingEngine();
  const setup = { batch: BATCH, sliceSize: 2, seed: 3 };
  const trainer = await SliceTrainer.create(recorder, model.description, model.config, setup);
  const examples = tinyExamples(model, 2);
  const gradients = new Float32Array(0);
  await trainer.run({ parameters: model.parameters, gradients, step: 7, firstPosition: 2, examples });
  const { classes, mask, target, scored, weight } = calls[0]!;
  const timeSteps = drawTimeSteps('uniform', 3, 7, BATCH, 32).slice(2);
  for (const row of [0, 1]) {
    const order = drawOrder(stream(3, PURPOSE.order, 7, 2 + row), 32);
    const t = timeSteps[row]!;
    const expected = (32 / (32 - t) + 1e-3) / (32 * Math.LN2 * BATCH);
    assert.ok(Math.abs(weight![row]! / expected - 1) < 1e-7);
    for (let v = 0; v < 32; v++) {
      const place = row * 32 + (v % 2) * 16 + (v >> 1);
      const known = order[v]! < t;
      const example = examples[row * 32 + v];
      assert.deepEqual(
        [classes![place], mask![place], target![place], scored![place]],
        [known ? example : 2, known ? 1 : 0, example, known ? 0 : 1],
      );
    }
  }
});

test('dropout keeps its share, and each step and position has masks of its own', async () => {
  const model = tinyModel({}, 0.3);
  const { engine: recorder, calls } = recordingEngine();
  const setup = { batch: BATCH, sliceSize: 1, seed: 3 };
  const trainer = await SliceTrainer.create(recorder, model.description, model.config, setup);
  const examples = tinyExamples(model, 1);
  for (const [step, firstPosition] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [0, 0],
  ] as const) {
    const gradients = new Float32Array(0);
    await trainer.run({ parameters: model.parameters, gradients, step, firstPosition, examples });
  }
  const masks = calls.map((inputs) => [...inputs.dropout0!, ...inputs.dropout1!]);
  const kept = masks.flat().reduce((sum, value) => sum + value, 0) / masks.flat().length;
  assert.ok(Math.abs(kept - 0.7) < 0.05, `${kept}`);
  assert.notDeepEqual(masks[1], masks[0]);
  assert.notDeepEqual(masks[2], masks[0]);
  assert.deepEqual(masks[3], masks[0]);
});

test('examples of another size or with unknown classes are refused', async () => {
  const model = tinyModel();
  const setup = { batch: BATCH, sliceSize: 2, seed: 3 };
  const trainer = await SliceTrainer.create(recordingEngine().engine, model.description, model.config, setup);
  const run = (examples: Uint8Array, firstPosition = 0) =>
    trainer.run({
      parameters: model.parameters,
      gradients: new Float32Array(0),
      step: 0,
      firstPosition,
      examples,
    });
  await assert.rejects(run(new Uint8Array(63)), { name: 'UserError', message: /64 bytes, but there are 63/ });
  const wrong = new Uint8Array(64);
  wrong[40] = 5;
  await assert.rejects(run(wrong), {
    name: 'UserError',
    message: /Example 1 has class 5 at variable 8, but the model has classes 0 to 4/,
  });
  await assert.rejects(run(new Uint8Array(64), 3), RangeError);
});
