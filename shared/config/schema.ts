import { z } from 'zod';

const whole = (least: number, most: number) =>
  z
    .int({ error: ({ code }) => (code === 'invalid_type' ? 'must be a whole number' : undefined) })
    .min(least)
    .max(most);
/** Steps, seeds and positions are 32-bit words of the random generator's key and counter. */
const WORD = 2 ** 32 - 1;
const COUNT = 1_000_000;
/** At most 20 days: timers count milliseconds in 31 bits. */
const seconds = z
  .number()
  .positive()
  .max(20 * 86_400);
const everySteps = whole(0, WORD);

/** The data sets that are fetched; the others are the user's own. */
export const PUBLISHED_SETS = [
  'mnist',
  'fashion-mnist',
  'binarised-mnist',
  'cifar10',
  'text8',
  'enwik8',
  'sc09',
] as const;

const data = z
  .strictObject({
    set: z
      .enum([...PUBLISHED_SETS, 'folder', 'text', 'wav'])
      .describe(
        'The data set: a published one, fetched and verified when this machine lacks it, or your own. `folder`: PNG files, all of one size, grey or RGB. `text`: a file, text or any other bytes. `wav`: a folder of WAV files, 16 bits, mono.',
      ),
    folder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'For `set: folder` and `set: wav`: where the files are, searched recursively; relative to the config file, or to the current folder when given by `--set`.',
      ),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('For `set: text`: the file, relative as `folder` is. It is cut into splits by position.'),
    vocabulary: z
      .enum(['bytes', 'text8', 'enwik8'])
      .default('bytes')
      .describe(
        'For `set: text`: what a variable is. `bytes`: any file; `text8`: a to z and space only, K = 28; `enwik8`: bytes as published, K = 257.',
      ),
    length: whole(2, 1_000_000)
      .optional()
      .describe(
        'Variables of an example of text (absent: 250, as published) or samples of a clip of audio (absent: 16,000, one second): shorter clips are padded with silence at their end, longer ones cut.',
      ),
    context: whole(0, 1_000_000)
      .default(0)
      .describe(
        'For text: so many characters before each example are told to the network and not learned. All published runs: 0.',
      ),
    sampleRate: whole(100, 1_000_000)
      .default(16_000)
      .describe('For `set: wav`: samples a second, which every file must have.'),
    testFraction: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.1)
      .describe(
        'For your own data: the share that is held out as the test split. Files are chosen by a hash of their names; a text is cut near its end, and as much before that is the validation split.',
      ),
    augment: z
      .enum(['none', 'flip', 'flip-rotate'])
      .default('none')
      .describe(
        'Of training images only. `flip`: mirrored with probability 0.5. `flip-rotate`: then turned by 0, 90, 180 or 270 degrees, as published. Leave it at `none` where a mirrored image would be wrong, as for digits.',
      ),
  })
  .describe('What is learned.');

const dropout = z.number().min(0).lt(1).default(0);

const unet = z
  .strictObject({
    kind: z.literal('unet'),
    channels: whole(4, 4096)
      .multipleOf(4)
      .default(256)
      .describe('Width of the first resolution. Memory and time grow with it, parameters with its square.'),
    multipliers: z
      .array(whole(1, 64))
      .min(1)
      .max(8)
      .default([1])
      .describe(
        'Width of each resolution as a multiple of `channels`; each further one halves height and width, which must stay whole. The paper has one.',
      ),
    blocks: whole(0, 1000)
      .default(32)
      .describe('Residual blocks a resolution on the way down (one more on the way up).'),
    attention: z
      .union([z.enum(['middle', 'all']), z.array(whole(1, 4096))], {
        error: 'must be middle, all, or a list of resolutions such as [16, 8]',
      })
      .default('middle')
      .describe(
        'Where attention stands: `middle`, there only (the paper); `all`, after every block too (the released config); or the resolutions (map heights) whose blocks get it besides the middle. Its cost grows with the fourth power of the resolution.',
      ),
    heads: whole(1, 256).default(1).describe('Attention heads; a divisor of the width there.'),
    groups: whole(1, 4096)
      .default(32)
      .describe(
        'GroupNorm groups, a divisor of every width. With one channel a group the normalisation takes out what the time embedding adds: keep `channels` at 2 x `groups` or more.',
      ),
    dropout: dropout.describe(
      'Dropout rate inside the residual blocks. Raise it when the test bits per dimension rise while the training ones fall.',
    ),
  })
  .describe('The U-Net of the paper, for images.');

const transformer = z
  .strictObject({
    kind: z.literal('transformer'),
    layers: whole(0, 1000).default(12).describe('Blocks of attention and a dense layer of two halves.'),
    width: whole(4, 65_536)
      .multipleOf(4)
      .default(768)
      .describe('Of each position. Parameters grow with its square.'),
    heads: whole(1, 256).default(12).describe('Attention heads; a divisor of `width`.'),
    mlpWidth: whole(1, 65_536).default(3072).describe('Of the dense layers inside; usually 4 x `width`.'),
    dropout: dropout.describe(
      'Dropout rate of embeddings, attention outputs and dense layers; 0.1 for the left-to-right baseline.',
    ),
    attentionDropout: dropout.describe(
      'Dropout rate of attention weights; 0.1 for the left-to-right baseline.',
    ),
  })
  .describe('The transformer of the paper, for text.');

const diffwave = z
  .strictObject({
    kind: z.literal('diffwave'),
    channels: whole(4, 4096)
      .multipleOf(4)
      .default(256)
      .describe('Width of every map. Memory and time grow with it, parameters with its square.'),
    blocks: whole(1, 1000)
      .default(36)
      .describe('Residual blocks, each a gated dilated convolution of width 3.'),
    dilationCycle: whole(1, 20)
      .default(12)
      .describe(
        'Block i looks 2^(i mod `dilationCycle`) samples to either side: 12 as released, up to 2,048.',
      ),
  })
  .describe('The dilated convolutions of DiffWave and WaveNet, for audio.');

const network = z
  .discriminatedUnion('kind', [unet, transformer, diffwave])
  .describe(
    'The network that predicts every unknown variable from the known ones: `unet` for images, `transformer` for text, `diffwave` for audio.',
  );

const upscale = z
  .strictObject({
    base: whole(2, 65_536)
      .default(4)
      .describe(
        'Branches a stage: stage after stage generates the next digit of each variable in this base, the most significant first. The published best for images is 4.',
      ),
    map: z
      .enum(['zero', 'augment', 'augment-text8'])
      .default('zero')
      .describe(
        'What stands for a variable of which some digits are unknown. `zero`: these digits zero, as in all published results; `augment`: a class of its own; `augment-text8`: vowel or other letter, for text8.',
      ),
    parametrization: z
      .enum(['data', 'direct'])
      .default('data')
      .describe(
        'What the network predicts. `data`: a distribution over the final value, from which that of each digit follows; `direct`: that of each digit, for classes too many to list, as in 16-bit audio. `direct` needs classes that are a power of `base`, and map `zero`.',
      ),
  })
  .describe('For `kind: upscale`.');

const model = z
  .strictObject({
    kind: z
      .enum(['oa', 'upscale', 'arm', 'permuted'])
      .default('oa')
      .describe(
        '`oa`: order-agnostic ARDM, any variable may be generated next. `upscale`: the same for one digit of the variables after another. The baselines: `arm`, left to right, by a transformer or a diffwave net that sees what lies before only (WaveNet); `permuted`, any order by a transformer that sees the order and what came before (XLNet).',
      ),
    output: z
      .enum(['softmax', 'logistic', 'logistic-rgb'])
      .default('softmax')
      .describe(
        '`softmax`: a categorical over all classes of each variable. `logistic`: a mixture of discretised logistics, for classes too many to list; `logistic-rgb`: the same for the three channels of a pixel, generated together.',
      ),
    mixtures: whole(1, 1000).default(30).describe('For logistic outputs: components of the mixture.'),
    edges: z
      .enum(['exact', 'original'])
      .default('exact')
      .describe(
        'For logistic outputs: `exact` gives the tails to the first and the last class; `original` as the original code does, which counts more than one class as the edge where there are many classes, so that probabilities sum to over 1.',
      ),
    upscale: upscale.prefault({}),
    ceWeight: z
      .number()
      .nonnegative()
      .max(1000)
      .default(1e-3)
      .describe('Weight of the cross-entropy term beside the bound; the published 0.001 hardly matters.'),
    timeSteps: z
      .enum(['uniform', 'antithetic'])
      .default('uniform')
      .describe(
        'How the time step of each training example is drawn: independently, or (`antithetic`) spread evenly over a batch, which makes the loss less noisy. All published runs: `uniform`.',
      ),
    network,
  })
  .describe('The model and its loss.');

const training = z
  .strictObject({
    steps: whole(1, WORD).describe('Optimizer steps in all. A finished run goes on when this is raised.'),
    batch: whole(1, COUNT).describe('Examples a step, over all workers.'),
    slices: whole(1, COUNT)
      .refine((n) => (n & (n - 1)) === 0, { error: 'must be a power of two: 1, 2, 4, 8, ...' })
      .describe(
        'Equal parts of the batch, the unit of work and of the exact sum: a power of two that divides it. Fixed for the run, whoever computes; the number of workers is free, up to this. One slice must fit the smallest device; larger slices are faster.',
      ),
    learningRate: z
      .number()
      .positive()
      .max(10)
      .default(1e-4)
      .describe(
        'Step size of Adam. Large nets take 1e-4, small ones up to 2e-3; lower it when the loss rises.',
      ),
    warmupSteps: whole(0, WORD)
      .default(0)
      .describe(
        'Linear warm-up: step s (from 0) is taken at `learningRate` * min(1, s / `warmupSteps`). Use it when the loss jumps in the first steps.',
      ),
    beta1: z.number().min(0).lt(1).default(0.9).describe("Adam's decay of the mean gradient."),
    beta2: z.number().min(0).lt(1).default(0.999).describe("Adam's decay of the mean squared gradient."),
    epsilon: z.number().positive().default(1e-8).describe('Added to the root of the mean squared gradient.'),
    weightDecay: z
      .number()
      .nonnegative()
      .max(1)
      .default(0)
      .describe('Decoupled (AdamW), on every parameter; the image models have none.'),
    clip: z
      .number()
      .positive()
      .default(100)
      .describe('Limit of the global gradient norm; a longer gradient is scaled down to it.'),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9999)
      .describe(
        'Decay of the moving average of the parameters, which evaluation and sampling use. It remembers about 1 / (1 - ema) steps: short runs need a smaller one.',
      ),
  })
  .describe('The optimizer: Adam(W) with global-norm clipping and a moving average.');

const evaluation = z
  .strictObject({
    everySteps: everySteps.default(0).describe('Evaluates after every so many steps; 0: only at the end.'),
    examples: whole(0, COUNT).default(0).describe('Test examples a pass, the first so many; 0: all.'),
    passes: whole(1, 1000)
      .default(1)
      .describe('Draws of (order, time step) an example; the published runs took 4 for images.'),
    batch: whole(1, 4096).default(32).describe('Examples a task, the unit dealt to a worker.'),
    timeSteps: z
      .enum(['uniform', 'antithetic'])
      .default('antithetic')
      .describe('`antithetic` spreads the time steps of a pass evenly: the same mean, less noise.'),
  })
  .describe(
    'The negative evidence lower bound on the test split, in bits per dimension, of the moving average.',
  );

const samples = z
  .strictObject({
    everySteps: everySteps
      .default(0)
      .describe('Draws samples after every so many steps; 0: only at the end.'),
    count: whole(0, 10_000).default(64).describe('Samples each time; 0: none.'),
    budget: whole(1, WORD)
      .optional()
      .describe(
        'Network calls a sample, in an upscale model a stage: this many parts of the variables are generated at once. Fewer are faster and look worse. Absent: one call a variable, the exact model.',
      ),
    policy: z
      .enum(['naive', 'planned'])
      .default('naive')
      .describe(
        'With a budget: `naive`, equal parts; `planned`, parts chosen by the loss components of the run so far so that little is lost.',
      ),
    batch: whole(1, 4096).default(16).describe('Samples a task, the unit dealt to a worker.'),
  })
  .describe(
    'Generated examples, by the moving average: a grid of images, texts, or clips with their spectrograms.',
  );

const checkpoints = z
  .strictObject({
    everySteps: everySteps
      .default(1000)
      .describe('Saves after every so many steps; 0: only at the end and when stopped.'),
    keepLast: whole(1, 10_000).default(2).describe('The newest so many are kept.'),
    keepEvery: everySteps
      .default(0)
      .describe('Besides, those whose step is a multiple of this are kept for good; 0: none.'),
    syncJournal: z
      .boolean()
      .default(true)
      .describe(
        'Each commit is noted on the disk itself before it is published, so that a restart after a power failure knows it too; false: in the file only, which outlives the process and costs less.',
      ),
  })
  .describe('What a run is resumed from: 16 bytes a parameter each.');

const HOST = String.raw`(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)`;
const PORT = String.raw`(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])`;

/** An address of a coordinator: `tcp://HOST:PORT`. */
export const workerAddressSchema = z.string().regex(new RegExp(`^tcp://${HOST}:${PORT}$`), {
  error: 'must be tcp://HOST:PORT, such as tcp://127.0.0.1:5670',
});
/** An address of an HTTP server: `HOST:PORT`. */
export const httpAddressSchema = z.string().regex(new RegExp(`^${HOST}:${PORT}$`), {
  error: 'must be HOST:PORT, such as 127.0.0.1:9464',
});

const sshHost = z.strictObject({
  host: z
    .string()
    .max(300)
    .regex(/^[a-zA-Z0-9_][a-zA-Z0-9_.@:%-]*$/, { error: 'must be a host as ssh takes it, such as me@gpu1' })
    .describe('Where: as ssh takes it, which finds port, user and key in its own configuration.'),
  gpus: z
    .union([z.enum(['all', 'none']), z.array(whole(0, 1023)).min(1)], {
      error: 'must be all, none, or a list of GPUs such as [0, 1]',
    })
    .default('all')
    .describe('A worker on each of these GPUs; `none`: one on the CPU.'),
  command: z
    .string()
    .min(1)
    .default('ardm-worker')
    .describe(
      'What starts a worker there, for the shell: `/opt/ardm/bin/ardm-worker`, `cd ardm && npx ardm-worker`.',
    ),
  coordinator: workerAddressSchema
    .optional()
    .describe(
      'Where it reaches this coordinator. Absent: as `listen` says, or where that is every address of this machine, the one that ssh comes from.',
    ),
});

const workers = z
  .strictObject({
    local: z
      .union([whole(0, 1024), z.literal('auto')], { error: 'must be a whole number from 0 to 1024, or auto' })
      .default(0)
      .describe(
        'Workers that the coordinator starts on this machine, on its CPU; 0: it waits for outside ones. `auto`: one on each GPU that nvidia-smi lists, or where there is none one on the CPU, with all its threads.',
      ),
    hosts: z
      .array(sshHost)
      .max(1024)
      .refine((hosts) => new Set(hosts.map(({ host }) => host)).size === hosts.length, {
        error: 'must name each host once',
      })
      .default([])
      .describe(
        'Other machines, on which the coordinator starts workers over ssh; their output goes to `logs` in the run folder.',
      ),
    minimum: whole(1, 10_000).default(1).describe('Training waits while fewer are connected.'),
    waitSeconds: seconds.default(1800).describe('Gives up (exit code 3) after so long below the minimum.'),
    restarts: whole(0, COUNT)
      .default(5)
      .describe(
        'How often a worker that the coordinator started is started again when it dies, with back-off; after ten minutes without a death it is counted anew.',
      ),
    heartbeatSeconds: seconds
      .default(1)
      .describe('A worker says that it lives this often. Raise it on crowded networks.'),
    heartbeatTimeoutSeconds: seconds
      .default(5)
      .describe(
        'A worker that is silent for so long is given up. Above `heartbeatSeconds`; raise it where machines freeze for seconds.',
      ),
    stepTimeoutSeconds: seconds
      .default(600)
      .describe(
        'A worker that owes a slice for so long is given up. Above `heartbeatTimeoutSeconds` and the time of its share of a step.',
      ),
    recoverSeconds: seconds
      .default(30)
      .describe(
        'A coordinator that was killed and starts again waits so long for workers that hold newer steps than its checkpoint.',
      ),
    hashEverySteps: whole(1, WORD)
      .default(100)
      .describe('After every so many steps the replicas prove that they hold the same bits.'),
    bucketBytes: whole(4096, 16 * 2 ** 20)
      .default(2 * 2 ** 20)
      .describe('Bytes of a gradient message: 1 to 4 MB is full speed.'),
    sharedMemory: z
      .boolean()
      .default(true)
      .describe(
        "Workers on the coordinator's machine exchange gradients with it through memory instead of sockets (Linux).",
      ),
  })
  .describe('Who computes, and when one is given up.');

const codec = z
  .discriminatedUnion('kind', [
    z
      .strictObject({ kind: z.literal('float32') })
      .describe('As they are: 4 bytes a parameter, the same bits as ever.'),
    z
      .strictObject({ kind: z.literal('bf16') })
      .describe(
        'bfloat16: 2 bytes a parameter. Sums are rounded at every node of the tree over the slices, so the result is the same for any workers and whatever befalls them.',
      ),
    z
      .strictObject({
        kind: z.literal('int8'),
        rounding: z
          .enum(['dither', 'feedback'])
          .default('dither')
          .describe(
            '`dither`: up or down by a draw, right on average, at every node of the tree, so the result is the same for any workers and whatever befalls them. `feedback`: to the nearest, and what that loses is added to the next step.',
          ),
      })
      .describe('Blocks of 64 values with a scale: 1.02 bytes a parameter.'),
    z
      .strictObject({
        kind: z.literal('top-k'),
        density: z
          .number()
          .min(0.0001)
          .max(0.5)
          .default(0.01)
          .describe(
            'The share of the parameters that is sent, of largest magnitude; 6 bytes each. More where the loss falls too slowly.',
          ),
      })
      .describe(
        'The largest values, exactly; the others are added to the next step (error feedback). For slow links.',
      ),
    z
      .strictObject({
        kind: z.literal('power-sgd'),
        rank: whole(1, 64)
          .default(4)
          .describe(
            'Of the two matrices whose product stands for a tensor. More where the loss falls too slowly; bytes and time grow with it.',
          ),
      })
      .describe(
        'Each tensor as a product of two thin matrices; what that loses is added to the next step (error feedback). For slow links.',
      ),
  ])
  .prefault({ kind: 'float32' })
  .describe('How gradients are written for the wire, from and to the workers; see docs/exchange.md.');

const exchange = z.strictObject({ codec }).describe('How gradients travel.');

const webAddress = z.string().regex(/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/, {
  error: 'must be an address that starts with http:// or https://, without user and password',
});

const trackers = z
  .strictObject({
    tensorboard: z
      .boolean()
      .default(false)
      .describe("Writes what TensorBoard shows into `tensorboard` of the run's folder."),
    timeline: z
      .boolean()
      .default(false)
      .describe(
        'Notes with each step when each worker was dealt its slices and when their sums came, for `ardm timeline`. The event log grows by about 70 bytes a worker and step.',
      ),
    otlp: z
      .string()
      .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, {
        error: 'must be http://HOST:PORT, such as http://127.0.0.1:4318, with a path at most',
      })
      .optional()
      .describe(
        'Where an OpenTelemetry collector takes OTLP over HTTP, such as http://127.0.0.1:4318: each step becomes a trace. Absent: OTEL_EXPORTER_OTLP_ENDPOINT, or none.',
      ),
  })
  .describe('What else a run is recorded with, besides its event log and metrics.');

/** What a notice can be of. */
export const NOTICES = ['done', 'failed', 'waiting', 'best'] as const;

const notify = z
  .strictObject({
    webhook: webAddress
      .optional()
      .describe('Gets each notice by POST, as JSON. It is a secret: neither shown nor stored anywhere.'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Is started for each notice, without a shell, with the JSON on its standard input: a program and its arguments. Neither shown nor stored.',
      ),
    on: z
      .array(z.enum(NOTICES))
      .default([...NOTICES])
      .describe(
        'What is told: the end of the run, well or not (but for Ctrl-C); too few workers for `waitingSeconds`; an evaluation better than all before.',
      ),
    waitingSeconds: seconds.default(300).describe('Waiting is told once it lasts so long.'),
  })
  .describe('Who is told of what happens, away from the screen.');

/** Where workers look for a coordinator, and where one listens, unless told otherwise. */
export const DEFAULT_WORKER_ADDRESS = 'tcp://127.0.0.1:5670';

/** A run's configuration file. Unknown keys are refused everywhere. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, {
      error: 'must be letters, digits, dot, dash and underscore, and start with a letter or digit',
    })
    .describe('Names the run and its folder, `runs/<name>`.'),
  seed: whole(0, WORD)
    .default(0)
    .describe('Of every random draw of the run: with the same seed the same weights come out.'),
  data,
  model,
  training,
  evaluation: evaluation.prefault({}),
  samples: samples.prefault({}),
  checkpoints: checkpoints.prefault({}),
  workers: workers.prefault({}),
  exchange: exchange.prefault({}),
  trackers: trackers.prefault({}),
  notify: notify.prefault({}),
  listen: workerAddressSchema
    .default(DEFAULT_WORKER_ADDRESS)
    .describe('Where workers connect, `tcp://HOST:PORT`. Port 0: any free one, told at the start.'),
  http: httpAddressSchema
    .default('127.0.0.1:9464')
    .describe('Where /metrics is served, `HOST:PORT`. Port 0: any free one, told at the start.'),
});

export type Config = z.infer<typeof configSchema>;
export type ModelConfig = Config['model'];
export type NetworkConfig = ModelConfig['network'];
export type UnetConfig = Extract<NetworkConfig, { kind: 'unet' }>;
export type TransformerConfig = Extract<NetworkConfig, { kind: 'transformer' }>;
export type DiffwaveConfig = Extract<NetworkConfig, { kind: 'diffwave' }>;
export type SshHost = Config['workers']['hosts'][number];
export type TrainingConfig = Config['training'];
export type CodecConfig = Config['exchange']['codec'];
export type NotifyConfig = Config['notify'];
