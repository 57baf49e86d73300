import { z } from 'zod';

/** A power of two, at least 1. */
const powerOfTwo = z
  .int()
  .positive()
  .refine((n) => (n & (n - 1)) === 0, { error: 'must be a power of two (1, 2, 4, 8, ...)' });
const count = z.int().nonnegative();
const positive = z.int().positive();
const seconds = z.number().positive();

const data = z.strictObject({
  set: z
    .enum(['mnist', 'fashion-mnist', 'binarised-mnist', 'cifar10', 'folder'])
    .describe('The data set. `folder`: PNG files of one size, 1 or 3 channels.'),
  folder: z
    .string()
    .optional()
    .describe('For `set: folder`: the folder of PNG files, relative to the config file.'),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe(
      'For `set: folder`: the share of files, by hash of their names, that is held out as the test split.',
    ),
  augment: z
    .enum(['none', 'flip', 'flip-rotate'])
    .default('none')
    .describe(
      'Training images only: a horizontal flip with probability 0.5; then, as published, a rotation by 0, 90, 180 or 270 degrees.',
    ),
});

const network = z.strictObject({
  kind: z.literal('unet'),
  channels: positive.multipleOf(4).default(256).describe('Width of the first resolution.'),
  multipliers: z
    .array(positive)
    .min(1)
    .default([1])
    .describe(
      'Width of each resolution as a multiple of `channels`; each further one halves height and width.',
    ),
  blocks: count
    .default(32)
    .describe('Residual blocks a resolution on the way down (one more on the way up).'),
  attention: z
    .union([z.enum(['middle', 'all']), z.array(positive)])
    .default('middle')
    .describe(
      'Where attention stands besides the middle: nowhere (`middle`, the paper), after every block (`all`, the released config), or at these resolutions.',
    ),
  heads: positive.default(1).describe('Attention heads.'),
  groups: positive
    .default(32)
    .describe(
      'GroupNorm groups. A net with as many groups as channels is blind to time: keep channels >= 2 x groups.',
    ),
  dropout: z.number().min(0).lt(1).default(0).describe('Dropout rate inside the residual blocks.'),
});

const model = z.strictObject({
  kind: z.literal('oa').default('oa').describe('`oa`: order-agnostic ARDM.'),
  output: z
    .literal('softmax')
    .default('softmax')
    .describe('`softmax`: a categorical over all classes of each variable.'),
  ceWeight: z
    .number()
    .nonnegative()
    .default(1e-3)
    .describe('Weight of the cross-entropy term beside the bound.'),
  timeSteps: z
    .enum(['uniform', 'antithetic'])
    .default('uniform')
    .describe(
      'How the time step of each example is drawn; antithetic spreads a batch evenly over the steps.',
    ),
  network,
});

const training = z.strictObject({
  steps: positive.describe('Optimizer steps in all.'),
  batch: positive.describe('Examples a step, over all workers.'),
  slices: powerOfTwo.describe(
    'Equal parts of the batch, the unit of work and of the exact sum: a power of two that divides it. Fixed for the run; the number of workers is not.',
  ),
  learningRate: z.number().positive().default(1e-4),
  warmupSteps: count
    .default(0)
    .describe('Linear warm-up: step s is taken at learningRate * min(1, s / warmupSteps).'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().nonnegative().default(0).describe('Decoupled (AdamW), on every parameter.'),
  clip: z.number().positive().default(100).describe('Limit of the global gradient norm.'),
  ema: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9999)
    .describe(
      'Decay of the moving average of the parameters that evaluation and sampling use. Short runs need a smaller one.',
    ),
});

const evaluation = z.strictObject({
  everySteps: count.default(0).describe('0: only at the end.'),
  examples: count.default(0).describe('Test examples a pass; 0: all.'),
  passes: positive
    .default(1)
    .describe('Draws of (order, time step) an example; the published runs took 4 for images.'),
  batch: positive.default(32).describe('Examples a task, the unit dealt to a worker.'),
  timeSteps: z
    .enum(['uniform', 'antithetic'])
    .default('antithetic')
    .describe('Antithetic spreads the time steps of a pass evenly: the same mean, less noise.'),
});

const samples = z.strictObject({
  everySteps: count.default(0).describe('0: only at the end.'),
  count: count.default(64).describe('Images in the grid; 0: none.'),
  budget: positive
    .optional()
    .describe('Network calls a sample (naive parallel policy); absent: one a variable.'),
  batch: positive.default(16).describe('Images a task, the unit dealt to a worker.'),
});

const checkpoints = z.strictObject({
  everySteps: count.default(1000).describe('0: only at the end and when stopped.'),
  keepLast: positive.default(2).describe('The newest so many are kept.'),
  keepEvery: count
    .default(0)
    .describe('Besides, those whose step is a multiple of this are kept for good; 0: none.'),
});

const workers = z.strictObject({
  local: count
    .default(0)
    .describe('Workers that the coordinator starts on this machine; 0: waits for outside ones.'),
  minimum: positive.default(1).describe('Training waits while fewer are connected.'),
  waitSeconds: seconds.default(1800).describe('Gives up (exit code 3) after so long below the minimum.'),
  restarts: count.default(5).describe('How often a local worker that dies is started again, with back-off.'),
  heartbeatSeconds: seconds
    .default(1)
    .describe('A worker says that it lives this often. Raise on crowded networks.'),
  heartbeatTimeoutSeconds: seconds
    .default(5)
    .describe(
      'A silent worker is given up after so long. Above heartbeatSeconds; raise where machines freeze for seconds.',
    ),
  stepTimeoutSeconds: seconds
    .default(600)
    .describe('A worker that owes a slice for so long is given up. Above the time of its share of a step.'),
  hashEverySteps: positive
    .default(100)
    .describe('How often the replicas prove that they hold the same bits.'),
  bucketBytes: z
    .int()
    .min(4096)
    .max(16 * 2 ** 20)
    .default(2 * 2 ** 20)
    .describe('Size of a gradient message: 1 to 4 MB is full speed.'),
});

/** A run's configuration file. Unknown keys are refused everywhere. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dot, dash and underscore only')
    .describe('Names the run and its folder.'),
  seed: count.default(0).describe('Of every random draw of the run.'),
  data,
  model,
  training,
  evaluation: evaluation.prefault({}),
  samples: samples.prefault({}),
  checkpoints: checkpoints.prefault({}),
  workers: workers.prefault({}),
  listen: z.string().default('tcp://127.0.0.1:5670').describe('Where workers connect. Port 0: any free one.'),
  http: z.string().default('127.0.0.1:9464').describe('Where /metrics is served. Port 0: any free one.'),
});

export type Config = z.infer<typeof configSchema>;
export type ModelConfig = Config['model'];
export type NetworkConfig = ModelConfig['network'];
export type TrainingConfig = Config['training'];
