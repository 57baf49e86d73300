import assert from 'node:assert/strict';
import test from 'node:test';
import { Averaging, type FromAverager } from '../../coordinator/averaging.js';
import { configSchema } from '../../shared/config/schema.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { Exchange, exchangeOptions } from '../../shared/exchange/exchange.js';
import { CHAIN_START } from '../../shared/exchange/chain.js';
import { subtreesOf, TreeSum, type TreeNode } from '../../shared/exchange/tree.js';
import { drawEvaluation } from '../../shared/method/evaluation.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { SliceTrainer } from '../../shared/model/train-slice.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { Residuals } from '../../worker/residuals.js';
import { tinyModel } from '../model/tiny-model.js';

const STEPS = 100;
const BATCH = 16;
const SLICES = 4;
/** Slices at which each of three workers begins: the first two have a subtree each, the last one of a slice. */
const WORKERS = [0, 2, 3];
const SEEDS = [0, 1, 2];
const NUM_TEST = 64;

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const { config: modelConfig, description } = tinyModel();
const { numParameters, numSteps, numVariables, numPositions, numClasses } = description;

/** One of three patterns, a tenth of its variables drawn anew. */
function examplesOf(count: number, seed: number): Uint8Array {
  const random = stream(seed, PURPOSE.sample, 9);
  const pattern = (nth: number, i: number) => (Math.imul(i + 3, nth + 2) + (i >> 2) * nth) % numClasses;
  const examples = new Uint8Array(count * numVariables);
  for (let example = 0; example < count; example++) {
    const nth = random.below(3);
    for (let i = 0; i < numVariables; i++)
      examples[example * numVariables + i] =
        random.uniform() < 0.1 ? random.below(numClasses) : pattern(nth, i);
  }
  return examples;
}

/** Trains as three workers and a coordinator do; bits per dimension on held-out examples. */
async function train(codec: object, seed: number): Promise<number> {
  const config = configSchema.parse({
    name: 'tiny',
    seed,
    data: { set: 'mnist' },
    model: modelConfig,
    training: { steps: STEPS, batch: BATCH, slices: SLICES, learningRate: 5e-3, clip: 10, ema: 0.9 },
    exchange: { codec },
  });
  const replica = new Replica(numParameters, numSteps);
  initializeParameters(description.parameters, seed, replica.parameters);
  replica.ema.set(replica.parameters);
  const options = exchangeOptions(config, description);
  const exchange = new Exchange(options);
  const post = (message: FromAverager) => assert.notEqual(message.kind, 'nonfinite');
  const residual = exchange.keepsResiduals ? new SharedArrayBuffer(4 * numParameters) : undefined;
  const averaging = new Averaging(
    {
      ...{ memory: replica.memory, model: description, training: config.training, exchange: options },
      ...{ step: 0, chain: CHAIN_START, ...(residual && { residual }) },
    },
    post,
  );
  const lacking = WORKERS.map(() => new Residuals(numParameters));
  const sliceSize = BATCH / SLICES;
  const trainer = await SliceTrainer.create(engine, description, modelConfig, {
    batch: BATCH,
    sliceSize,
    seed,
  });
  for (let step = 0; step < STEPS; step++) {
    const examples = examplesOf(BATCH, 1000 * seed + step + 1);
    for (const [nth, begin] of WORKERS.entries()) {
      const end = WORKERS[nth + 1] ?? SLICES;
      const tree = new TreeSum<SharedArrayBuffer>(subtreesOf(begin, end));
      for (let slice = begin; slice < end; slice++) {
        const sum = new SharedArrayBuffer(4 * numParameters);
        const gradients = new Float32Array(sum);
        const first = slice * sliceSize;
        const part = examples.subarray(first * numVariables, (first + sliceSize) * numVariables);
        const { parameters } = replica;
        await trainer.run({ parameters, gradients, step, firstPosition: first, examples: part });
        exchange.round(gradients, step, { level: 0, index: slice });
        let next = tree.put({ level: 0, index: slice }, sum);
        while (next.kind === 'merge') {
          exchange.merge(new Float32Array(next.left), new Float32Array(next.right), step, next.parent);
          next = tree.put(next.parent, next.left);
        }
        if (next.kind === 'goal') send(exchange, averaging, lacking[nth]!, step, next.node, next.value);
      }
    }
    for (const [nth, each] of lacking.entries())
      each.commit(subtreesOf(WORKERS[nth]!, WORKERS[nth + 1] ?? SLICES));
  }
  return evaluate(replica);
}

function send(
  exchange: Exchange,
  averaging: Averaging,
  lacking: Residuals,
  step: number,
  node: TreeNode,
  sum: SharedArrayBuffer,
): void {
  const residuals = exchange.keepsResiduals ? lacking.take(node) : undefined;
  assert.ok('checksums' in exchange.encodeShared(sum, step, node, residuals));
  if (residuals) lacking.sent(node, residuals.next);
  const buffer = new SharedArrayBuffer(4 * numParameters);
  for (const bucket of exchange.buckets)
    exchange.decode(bucket, new Uint8Array(sum, bucket.begin, bucket.bytes), new Float32Array(buffer));
  const count = (BATCH / SLICES) << node.level;
  const statistics = { timeSteps: new Int32Array(count), logLikelihoods: new Float64Array(count) };
  averaging.take({ kind: 'sum', step, hash: false, node, buffer, lent: false, statistics });
}

async function evaluate({ ema }: Replica): Promise<number> {
  const evaluator = await Evaluator.create(engine, description, modelConfig, NUM_TEST);
  const drawn = drawEvaluation({
    ...{ seed: 1, pass: 0, first: 0, count: NUM_TEST, numExamples: NUM_TEST, numPositions },
    ...{ steps: description, mode: 'antithetic' },
  });
  const { elbo } = await evaluator.run({ parameters: ema, examples: examplesOf(NUM_TEST, 77), ...drawn });
  return -elbo.reduce((sum, value) => sum + value, 0) / NUM_TEST;
}

let uncompressed: Promise<number[]> | undefined;
const trainAll = async (codec: object) => {
  const results: number[] = [];
  for (const seed of SEEDS) results.push(await train(codec, seed));
  return results;
};
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

for (const codec of [
  { kind: 'bf16' },
  { kind: 'int8' },
  { kind: 'int8', rounding: 'feedback' },
  { kind: 'top-k', density: 0.25 },
  { kind: 'power-sgd', rank: 4 },
])
  test(`${Object.values(codec).join(' ')}: learns as uncompressed gradients do, on three seeds`, async (t) => {
    const exact = await (uncompressed ??= trainAll({ kind: 'float32' }));
    const found = await trainAll(codec);
    t.diagnostic(
      `${found.map((bits) => bits.toFixed(4)).join(' ')} against ${exact.map((bits) => bits.toFixed(4)).join(' ')}`,
    );
    const spread = Math.max(...exact) - Math.min(...exact);
    assert.ok(Math.max(...exact) < 1.6, 'it learns at all');
    assert.ok(mean(found) - mean(exact) <= Math.max(spread, 0.03), `${mean(found)} against ${mean(exact)}`);
  });
