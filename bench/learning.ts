import { configSchema } from '../shared/config/schema.js';
import type { Split } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { createOnnxruntimeEngine } from '../shared/engine/onnxruntime.js';
import type { Engine } from '../shared/engine/engine.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { SliceTrainer } from '../shared/model/train-slice.js';
import { Replica } from '../shared/optimizer/replica.js';
import { planUpdate } from '../shared/optimizer/update.js';
import { packageRoot } from '../shared/package.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { acceptedRange, readReferenceCurve, type ReferenceCurve } from './reference-curve.js';
import { within, type Findings } from './report.js';

export interface LearningOptions {
  readonly seeds: readonly number[];
  readonly threads: number;
}

/** Bits per dimension. */
const MARGIN = 0.03;

/** The original's training; its 32 groups on 32 channels are the reference's, not advice. */
const config = configSchema.parse({
  name: 'bench-learning',
  data: { set: 'mnist' },
  model: { ceWeight: 1e-3, network: { kind: 'unet', channels: 32, blocks: 1, groups: 32 } },
  training: { steps: 500, batch: 16, slices: 1, learningRate: 1e-3, clip: 100, ema: 0.99 },
});

/** Test NELBO while training on MNIST, at the steps and with the evaluation draws of the original's recorded curve. */
export async function benchLearning(
  options: LearningOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const { seeds, threads } = options;
  const reference = readReferenceCurve();
  const dataset = await openDataset(config.data, { baseFolder: packageRoot, fetch: true, report: say });
  const model = describeModel(config.model, dataset);
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads });
  const curves: number[][] = [];
  for (const seed of seeds) {
    curves.push(await train(engine, model, dataset, seed, reference, say));
  }
  await engine.dispose();

  const points = reference.steps.map((step, nth) => {
    const mean = curves.reduce((sum, curve) => sum + curve[nth]!, 0) / curves.length;
    const original = reference.testNelbo.map((curve) => curve[nth]!);
    return { step, mean, original, range: acceptedRange(original, MARGIN) };
  });
  return {
    method: [
      `MNIST, ${model.numParameters} parameters, 500 steps of 16 images; test NELBO in bits per dimension of 256 images with the original's draws.`,
      `Ours: seeds ${seeds.join(', ')}, mean; batches uniform with replacement, as the original's. Original: ${reference.testNelbo.length} seeds.`,
    ],
    rows: points.map(({ step, mean, original, range: [from, to] }, nth) => ({
      step,
      ours: mean.toFixed(4),
      'our seeds': curves.map((curve) => curve[nth]!.toFixed(4)).join(' '),
      "original's seeds": original.map((value) => value.toFixed(4)).join(' '),
      accepted: `${from.toFixed(4)} to ${to.toFixed(4)}`,
    })),
    targets: points.map(({ step, mean, range }) => within(`test NELBO at step ${step}`, range, mean)),
    notes: [],
  };
}

/** One run; the test NELBO at each of the reference's steps. */
async function train(
  engine: Engine,
  model: ModelDescription,
  dataset: { readonly train: Split; readonly test: Split },
  seed: number,
  reference: ReferenceCurve,
  say: (line: string) => void,
): Promise<number[]> {
  const { batch, steps } = config.training;
  const trainer = await SliceTrainer.create(engine, model, config.model, { batch, sliceSize: batch, seed });
  const evaluator = await Evaluator.create(engine, model, config.model, config.evaluation.batch);
  const replica = new Replica(model.numParameters, model.numSteps);
  initializeParameters(model.parameters, seed, replica.parameters);
  replica.ema.set(replica.parameters);
  const examples = new Uint8Array(batch * model.numVariables);
  const curve: number[] = [];
  for (let step = 0; ; step++) {
    if (reference.steps.includes(step)) {
      curve.push(await testNelbo(evaluator, model, dataset.test, replica.ema, reference));
      say(`seed ${seed}, step ${step}: test NELBO ${curve.at(-1)!.toFixed(4)} bits per dimension`);
    }
    if (step === steps) return curve;
    const random = stream(seed, PURPOSE.shuffle, step);
    for (let nth = 0; nth < batch; nth++) {
      const into = examples.subarray(nth * model.numVariables, (nth + 1) * model.numVariables);
      dataset.train.read(random.below(dataset.train.count), into);
    }
    const { parameters, gradient: gradients } = replica;
    await trainer.run({ parameters, gradients, step, firstPosition: 0, examples });
    replica.apply(planUpdate(config.training, step, replica.squaredNorm()));
  }
}

async function testNelbo(
  evaluator: Evaluator,
  model: ModelDescription,
  test: Split,
  parameters: Float32Array,
  { orders, timeSteps }: ReferenceCurve,
): Promise<number> {
  const { numVariables } = model;
  const { batch } = config.evaluation;
  let sum = 0;
  for (let first = 0; first < timeSteps.length; first += batch) {
    const count = Math.min(batch, timeSteps.length - first);
    const examples = new Uint8Array(count * numVariables);
    for (let nth = 0; nth < count; nth++) {
      test.read(first + nth, examples.subarray(nth * numVariables, (nth + 1) * numVariables));
    }
    const { elbo } = await evaluator.run({
      parameters,
      examples,
      orders: orders.subarray(first * numVariables, (first + count) * numVariables),
      timeSteps: Int32Array.from(timeSteps.slice(first, first + count)),
    });
    sum -= elbo.reduce((total, value) => total + value, 0);
  }
  return sum / timeSteps.length;
}
