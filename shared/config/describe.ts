import path from 'node:path';
import { stringify } from 'yaml';
import { openDataset } from '../data/open.js';
import { CPU_MAP_BYTES } from '../engine/map-bytes.js';
import { countGpus } from '../launch/gpus.js';
import { Exchange, exchangeOptions } from '../exchange/exchange.js';
import { bytesPerVariable } from '../method/classes.js';
import { describeModel } from '../model/description.js';
import { exampleSize } from '../model/inputs.js';
import { partOf } from '../model/part.js';
import { activationBytes } from './activations.js';
import type { LoadedConfig } from './load.js';
import type { Config } from './schema.js';
import { withSecretsHidden } from './secrets.js';
import { publishedSet, type PublishedSet } from './sets.js';

/** What a run would take. Bytes are exact but for `activations` and `process`, which are estimates. */
export interface RunDescription {
  readonly path: string;
  readonly hash: string;
  readonly config: Config;
  readonly notes: readonly string[];
  readonly model: {
    readonly numParameters: number;
    readonly numTensors: number;
    readonly numVariables: number;
    readonly numClasses: number;
  };
  readonly data: PublishedSet & {
    readonly numContext: number;
    readonly stepsPerEpoch: number;
    /** Passes over the training split, of the whole run. */
    readonly epochs: number;
    /** Training examples of the whole run. */
    readonly examples: number;
  };
  /** Workers that the figures are made for: the more of `workers.local` and `workers.minimum`. */
  readonly numWorkers: number;
  /** Bytes on the wire in one step. */
  readonly step: {
    /** From one worker: a gradient for each complete subtree of its slices, one where the workers share them evenly. */
    readonly gradientsUp: number;
    /** To one worker. */
    readonly averageDown: number;
    /** To all workers together. */
    readonly examplesDown: number;
  };
  readonly memory: {
    readonly coordinator: Readonly<
      Record<'replica' | 'gradientSums' | 'checkpointCopy' | 'data' | 'process', number>
    >;
    /** With one lane (one CPU thread, or a GPU). Each further lane takes `activations` and one gradient more. */
    readonly worker: Readonly<Record<'replica' | 'gradientSums' | 'activations' | 'process', number>>;
  };
  readonly checkpointBytes: number;
}

/** A process with its libraries and compiled programs, before it holds anything. */
const PROCESS_BYTES = 180e6;

/**
 * What a run would take, without fetching its data: published sets are known, a folder is opened.
 *
 * @throws UsageError where the model does not fit the data; UserError where the folder can't be opened
 */
export async function describeRun({
  path: file,
  hash,
  config,
  notes,
}: LoadedConfig): Promise<RunDescription> {
  const { model: modelConfig, training, workers } = config;
  const set = await knownSet(config, path.dirname(file));
  const description = describeModel(modelConfig, { ...set, numContext: config.data.context });
  const { numParameters: P, numVariables, numClasses, networkShape, parameters } = description;
  const exampleBytes = exampleSize(description) * bytesPerVariable(numClasses);
  const exchange = new Exchange(exchangeOptions(config, description));
  const residual = exchange.keepsResiduals ? 4 * P : 0;
  const part = partOf(training.batch / training.slices, description, modelConfig, CPU_MAP_BYTES);
  const numLocal = workers.local === 'auto' ? Math.max(1, countGpus()) : workers.local;
  const numWorkers = Math.max(numLocal, workers.minimum);
  const slicesEach = Math.ceil(training.slices / numWorkers);
  const stepsPerEpoch = Math.floor(set.numTrain / training.batch);
  return {
    path: file,
    hash,
    config: withSecretsHidden(config),
    notes,
    model: { numParameters: P, numTensors: parameters.length, numVariables, numClasses },
    data: {
      ...set,
      numContext: config.data.context,
      stepsPerEpoch,
      epochs: training.steps / stepsPerEpoch,
      examples: training.steps * training.batch,
    },
    numWorkers,
    step: {
      gradientsUp: exchange.bytes,
      averageDown: exchange.bytes,
      examplesDown: training.batch * exampleBytes,
    },
    memory: {
      coordinator: {
        replica: 20 * P,
        // One from each worker, and the one that is being published; what averages lack.
        gradientSums: 4 * P * (numWorkers + 1) + residual,
        checkpointCopy: 16 * P + residual,
        data: (set.numTrain + set.numTest) * exampleBytes,
        process: PROCESS_BYTES,
      },
      worker: {
        replica: 20 * P,
        // The slice's own, and on each level of the tree one that waits for its sibling; what the last sum
        // lacked and what the next one does.
        gradientSums: 4 * P * (1 + Math.ceil(Math.log2(slicesEach))) + 2 * residual,
        activations: activationBytes(modelConfig.network, networkShape, part),
        process: PROCESS_BYTES,
      },
    },
    checkpointBytes: 16 * P + residual,
  };
}

async function knownSet({ data }: Config, baseFolder: string): Promise<PublishedSet> {
  const known = publishedSet(data);
  if (known) return known;
  const { shape, numClasses, train, test } = await openDataset(data, { baseFolder, fetch: false });
  return { shape, numClasses, numTrain: train.count, numTest: test.count };
}

/** The description as YAML: the whole configuration, ready to be used as one, and the figures in comments above it. */
export function formatDescription(description: RunDescription): string {
  const {
    path: file,
    hash,
    config,
    notes,
    model,
    data,
    numWorkers,
    step,
    memory,
    checkpointBytes,
  } = description;
  const { training, checkpoints } = config;
  const parts = (bytes: Readonly<Record<string, number>>) => {
    const total = Object.values(bytes).reduce((a, b) => a + b, 0);
    const each = Object.entries(bytes).map(([name, value]) => `${words(name)} ${size(value)}`);
    return `${size(total)}: ${each.join(', ')}`;
  };
  const lines = [
    `${file}, config hash ${hash}`,
    ...notes,
    '',
    `model        ${count(model.numParameters)} parameters in ${count(model.numTensors)} tensors; ${count(model.numVariables)} variables of ${model.numClasses} classes`,
    `data         ${count(data.numTrain)} training and ${count(data.numTest)} test examples of ${data.shape.join('x')}; ${count(data.stepsPerEpoch)} steps an epoch`,
    `run          ${count(training.steps)} steps, ${data.epochs < 100 ? data.epochs.toPrecision(3) : count(Math.round(data.epochs))} epochs, ${count(data.examples)} examples`,
    `step         ${training.batch} examples in ${training.slices} slices of ${training.batch / training.slices}`,
    `traffic      a step: ${size(step.gradientsUp)} from each worker, ${size(step.averageDown)} to each, ${size(step.examplesDown)} of examples to all together`,
    `coordinator  ${parts(memory.coordinator)} (${numWorkers} ${numWorkers === 1 ? 'worker' : 'workers'})`,
    `worker       about ${parts(memory.worker)} (one thread or GPU)`,
    `disk         ${size(checkpointBytes)} a checkpoint, ${checkpoints.keepLast} kept`,
  ];
  return `${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}\n\n${stringify(config)}`;
}

const count = (value: number) => value.toLocaleString('en-US');
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}
