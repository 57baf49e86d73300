import type { Config } from '../shared/config/schema.js';
import type { Dataset } from '../shared/data/dataset.js';
import { createOnnxruntimeEngine } from '../shared/engine/onnxruntime.js';
import type { Engine } from '../shared/engine/engine.js';
import { allocateClasses } from '../shared/method/classes.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { SliceTrainer } from '../shared/model/train-slice.js';
import { Replica } from '../shared/optimizer/replica.js';
import { planUpdate } from '../shared/optimizer/update.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { RUNS, type GivenData } from './learning-runs.js';
import { acceptedRange, readReferenceCurve, type ReferenceCurve, type RunName } from './reference-curve.js';
import { within, type Findings } from './report.js';

export interface LearningOptions extends GivenData {
  readonly run: RunName;
  readonly seeds: readonly number[];
  readonly threads: number;
}

/** Bits per dimension. */
const MARGIN = 0.03;

/** Test NELBO while training, at the steps and with the evaluation draws of a recorded curve. */
export async function benchLearning(
  options: LearningOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const { seeds, threads } = options;
  const run = RUNS[options.run];
  const reference = readReferenceCurve(options.run);
  const config = await run.config();
  const dataset = await run.open(config, options, say);
  const model = describeModel(config.model, dataset);
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads });
  const curves: number[][] = [];
  for (const seed of seeds) {
    curves.push(await train({ engine, config, model, dataset, reference }, seed, say));
  }
  await engine.dispose();

  const points = reference.steps.map((step, nth) => {
    const mean = curves.reduce((sum, curve) => sum + curve[nth]!, 0) / curves.length;
    const recorded = reference.testNelbo.map((curve) => curve[nth]!);
    return { step, mean, recorded, range: acceptedRange(recorded, MARGIN) };
  });
  const { steps, batch } = config.training;
  return {
    method: [
      `${run.about}, ${model.numParameters} parameters, ${steps} steps of ${batch}; test NELBO in bits per dimension, with the reference's ${reference.timeSteps.length} draws.`,
      `Ours: seeds ${seeds.join(', ')}, mean; batches uniform with replacement, as the reference's. Reference: ${run.reference}, ${reference.testNelbo.length} seeds.`,
    ],
    rows: points.map(({ step, mean, recorded, range: [from, to] }, nth) => ({
      step,
      ours: mean.toFixed(4),
      'our seeds': curves.map((curve) => curve[nth]!.toFixed(4)).join(' '),
      "the reference's": recorded.map((value) => value.toFixed(4)).join(' '),
      accepted: `${from.toFixed(4)} to ${to.toFixed(4)}`,
    })),
    targets: points
      .filter(({ step }) => step > 0)
      .map(({ step, mean, range }) => within(`test NELBO at step ${step}`, range, mean)),
    notes: ['Step 0 is what the initial weights happen to give: shown, not judged.'],
  };
}

interface Setup {
  readonly engine: Engine;
  readonly config: Config;
  readonly model: ModelDescription;
  readonly dataset: Dataset;
  readonly reference: ReferenceCurve;
}

/** One run; the test NELBO at each of the reference's steps. */
async function train(setup: Setup, seed: number, say: (line: string) => void): Promise<number[]> {
  const { engine, config, model, dataset, reference } = setup;
  const { batch, steps } = config.training;
  const { numVariables, numClasses } = model;
  const trainer = await SliceTrainer.create(engine, model, config.model, { batch, sliceSize: batch, seed });
  const evaluator = await Evaluator.create(engine, model, config.model, config.evaluation.batch);
  const replica = new Replica(model.numParameters, model.numSteps);
  initializeParameters(model.parameters, seed, replica.parameters);
  replica.ema.set(replica.parameters);
  const examples = allocateClasses(numClasses, batch * numVariables);
  const curve: number[] = [];
  for (let step = 0; ; step++) {
    if (reference.steps.includes(step)) {
      curve.push(await testNelbo(setup, evaluator, replica.ema));
      say(`seed ${seed}, step ${step}: test NELBO ${curve.at(-1)!.toFixed(4)} bits per dimension`);
    }
    if (step === steps) return curve;
    const random = stream(seed, PURPOSE.shuffle, step);
    for (let nth = 0; nth < batch; nth++) {
      const into = examples.subarray(nth * numVariables, (nth + 1) * numVariables);
      dataset.train.read(random.below(dataset.train.count), into, random);
    }
    const { parameters, gradient: gradients } = replica;
    await trainer.run({ parameters, gradients, step, firstPosition: 0, examples });
    replica.apply(planUpdate(config.training, step, replica.squaredNorm()));
  }
}

async function testNelbo(setup: Setup, evaluator: Evaluator, parameters: Float32Array): Promise<number> {
  const { config, model, dataset, reference } = setup;
  const { numVariables, numPositions, numClasses } = model;
  const { orders, timeSteps } = reference;
  const { batch } = config.evaluation;
  const { test } = dataset;
  let sum = 0;
  for (let first = 0; first < timeSteps.length; first += batch) {
    const count = Math.min(batch, timeSteps.length - first);
    const examples = allocateClasses(numClasses, count * numVariables);
    for (let nth = 0; nth < count; nth++) {
      const into = examples.subarray(nth * numVariables, (nth + 1) * numVariables);
      test.read((first + nth) % test.count, into);
    }
    const { elbo } = await evaluator.run({
      parameters,
      examples,
      orders: orders.subarray(first * numPositions, (first + count) * numPositions),
      timeSteps: Int32Array.from(timeSteps.slice(first, first + count)),
    });
    sum -= elbo.reduce((total, value) => total + value, 0);
  }
  return sum / timeSteps.length;
}
