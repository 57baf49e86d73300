import assert from 'node:assert/strict';
import test from 'node:test';
import type { Engine } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { summarize } from '../../shared/method/bound.js';
import { drawOrder } from '../../shared/method/orders.js';
import { drawTimeSteps } from '../../shared/method/time-steps.js';
import { describeModel } from '../../shared/model/description.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { partOf } from '../../shared/model/part.js';
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
  on = engine,
) {
  const { config, description } = model;
  const trainer = await SliceTrainer.create(on, description, config, {
    batch: BATCH,
    sliceSize,
    seed: 3,
  });
  const { numVariables } = description;
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
      examples: examples.slice(first * numVariables, (first + sliceSize) * numVariables),
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
    return summarize(timeSteps, logLikelihoods, model.description, 0.5).loss;
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
  const timeSteps = drawTimeSteps('uniform', 3, 7, BATCH, model.description).slice(2);
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
  await assert.rejects(run(new Uint8Array(63)), {
    name: 'UserError',
    message: /64 classes, but there are 63/,
  });
  const wrong = new Uint8Array(64);
  wrong[40] = 5;
  await assert.rejects(run(wrong), {
    name: 'UserError',
    message: /Example 1 has class 5 at variable 8, but the model has classes 0 to 4/,
  });
  await assert.rejects(run(new Uint8Array(64), 3), RangeError);
});

test('a slice in parts that fit the caches has the gradient and the likelihoods of the whole', async () => {
  const { config } = tinyModel({}, 0.3);
  const network = { ...config.network, channels: 4, groups: 2 };
  const description = describeModel({ ...config, network }, { shape: [16, 16, 1], numClasses: 5 });
  const parameters = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, parameters);
  const model = { config: { ...config, network }, description, parameters };
  const programs: string[] = [];
  const small: Engine = {
    ...engine,
    mapBytes: 4 * 4 * 256,
    compile: (program) => (programs.push(program.name), engine.compile(program)),
  };
  const whole = await runBatch(model, BATCH, model.parameters, { ...engine, mapBytes: Infinity });
  const parts = await runBatch(model, BATCH, model.parameters, small);
  assert.deepEqual(programs, ['train batch 1']);
  assert.deepEqual(parts.timeSteps, whole.timeSteps);
  whole.logLikelihoods.forEach((value, i) => assert.ok(Math.abs(value - parts.logLikelihoods[i]!) < 1e-4));
  const difference = whole.gradients.map((value, i) => value - parts.gradients[i]!);
  assert.ok(norm(difference) < 1e-5 * norm(whole.gradients));
});

test('a part divides the slice, holds one example at least, and grows with maps that fit and with the parameters', () => {
  const { config } = tinyModel();
  const part = (sliceSize: number, channels: number, mapBytes: number, multipliers = [1]) => {
    const network = { ...config.network, channels, multipliers };
    const description = describeModel({ ...config, network }, { shape: [28, 28, 1], numClasses: 256 });
    return partOf(sliceSize, description, { ...config, network }, mapBytes);
  };
  assert.equal(part(16, 32, 2 ** 20), 8, '16 maps of 0.1 MB do not fit, 8 do');
  assert.equal(part(16, 32, 2 ** 18, [2, 1]), 1, 'the widest level counts');
  assert.equal(part(10, 32, 2 ** 20), 10);
  assert.equal(part(15, 32, 2 ** 20), 5, '10 would fit and does not divide 15');
  assert.equal(part(16, 32, Infinity), 16);
  assert.equal(part(16, 256, 1), 2, 'a twentieth of the parameters is more than nothing');
  assert.equal(part(1, 256, 1), 1);
});

test('a part of a transformer is counted in positions, more of them where it has many parameters', () => {
  const { config } = tinyModel();
  const part = (sliceSize: number, length: number, width: number) => {
    const network = {
      kind: 'transformer' as const,
      layers: 12,
      width,
      heads: 4,
      mlpWidth: 4 * width,
      dropout: 0,
      attentionDropout: 0,
    };
    const description = describeModel({ ...config, network }, { shape: [1, length, 1], numClasses: 28 });
    return partOf(sliceSize, description, { ...config, network }, 2 ** 20);
  };
  assert.equal(part(64, 250, 128), 8);
  assert.equal(part(64, 250, 768), 64);
  assert.equal(part(64, 64, 128), 32);
  assert.equal(part(4, 8192, 128), 1);
});
