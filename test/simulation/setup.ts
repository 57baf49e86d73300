import type { LoadedConfig } from '../../shared/config/load.js';
import { configSchema, type CodecConfig } from '../../shared/config/schema.js';
import type { Dataset, Split } from '../../shared/data/dataset.js';
import { describeModel, modelDigest } from '../../shared/model/description.js';

/** Examples of the training split: not a whole number of batches. */
export const NUM_TRAIN = 44;
const NUM_TEST = 6;
const NUM_CLASSES = 128;
const shape = [1, 4, 1] as const;

/** A run of a dozen steps: gradients travel in two buckets, an epoch ends in the middle, and it evaluates twice. */
export const config = configSchema.parse({
  name: 'simulated',
  seed: 7,
  data: { set: 'text', file: 'none' },
  model: { network: { kind: 'transformer', layers: 0, width: 4, heads: 1, mlpWidth: 4 } },
  training: { steps: 12, batch: 8, slices: 4, learningRate: 1e-2, clip: 1, ema: 0.9, warmupSteps: 2 },
  evaluation: { everySteps: 7, batch: 2 },
  samples: { count: 0 },
  checkpoints: { everySteps: 3, keepLast: 2 },
  workers: {
    waitSeconds: 3600,
    heartbeatSeconds: 1,
    heartbeatTimeoutSeconds: 5,
    stepTimeoutSeconds: 8,
    recoverSeconds: 10,
    hashEverySteps: 2,
    bucketBytes: 4096,
  },
});

/** The same run, whose gradients are written in another way. */
export function loadedWith(codec: CodecConfig): LoadedConfig {
  const other = { ...config, exchange: { codec } };
  return { path: 'simulated.yaml', config: other, hash: `c0ffee ${codec.kind}` } as LoadedConfig;
}

/** An example's first variable is its number, so that it is known by its bytes. */
const split = (count: number): Split => ({
  count,
  read: (index, into) =>
    into.forEach((_, i) => (into[i] = i === 0 ? index : (31 * index + 7 * i) % NUM_CLASSES)),
});

export const dataset: Dataset = {
  name: 'numbered',
  shape,
  numClasses: NUM_CLASSES,
  train: split(NUM_TRAIN),
  test: split(NUM_TEST),
};

export const model = describeModel(config.model, { shape, numClasses: NUM_CLASSES });
export const digest = modelDigest(model);
