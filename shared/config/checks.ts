import { UsageError } from '../errors.js';
import { createStageMap } from '../method/stages.js';
import { describeModel } from '../model/description.js';
import { dataShape } from './data-shape.js';
import type { Config } from './schema.js';

/** Settings that don't go together. */
export interface Conflict {
  /** The settings that take part, the one to change first. */
  readonly paths: readonly string[];
  /** What is wrong, after the first path's name. */
  readonly text: string;
}

/** What must hold between settings and no single one shows. */
export function findConflicts(config: Config): Conflict[] {
  const { training, workers } = config;
  const conflicts: Conflict[] = [];
  const require = (holds: boolean, paths: readonly string[], text: string) => {
    if (!holds) conflicts.push({ paths, text });
  };
  require(training.batch % training.slices === 0, [
    'training.slices',
    'training.batch',
  ], `${training.slices} slices do not divide training.batch ${training.batch}`);
  require(workers.heartbeatSeconds < workers.heartbeatTimeoutSeconds, [
    'workers.heartbeatTimeoutSeconds',
    'workers.heartbeatSeconds',
  ], `${workers.heartbeatTimeoutSeconds} must be more than workers.heartbeatSeconds ${workers.heartbeatSeconds}`);
  require(workers.heartbeatTimeoutSeconds < workers.stepTimeoutSeconds, [
    'workers.stepTimeoutSeconds',
    'workers.heartbeatTimeoutSeconds',
  ], `${workers.stepTimeoutSeconds} must be more than workers.heartbeatTimeoutSeconds ${workers.heartbeatTimeoutSeconds}`);
  dataConflicts(config, require);
  modelConflicts(config, require);
  // What follows presupposes the rest.
  const misfit = conflicts.length === 0 ? modelMisfit(config) : undefined;
  return misfit ? [misfit] : conflicts;
}

type Require = (holds: boolean, paths: readonly string[], text: string) => void;

const MEDIA = {
  images: ['mnist', 'fashion-mnist', 'binarised-mnist', 'cifar10', 'folder'],
  text: ['text8', 'enwik8', 'text'],
  audio: ['sc09', 'wav'],
} as const;

const isOf = (medium: keyof typeof MEDIA, { set }: Config['data']) =>
  (MEDIA[medium] as readonly string[]).includes(set);

function dataConflicts({ data }: Config, require: Require): void {
  const { set, folder, file, vocabulary, length, context, augment } = data;
  const isFolder = set === 'folder' || set === 'wav';
  if (isFolder) require(folder !== undefined, ['data.folder'], `is missing: set: ${set} needs it`);
  else
    require(folder === undefined, [
      'data.folder',
      'data.set',
    ], `goes with set: folder and set: wav only, not ${set}`);
  if (set === 'text') require(file !== undefined, ['data.file'], 'is missing: set: text needs it');
  else require(file === undefined, ['data.file', 'data.set'], `goes with set: text only, not ${set}`);
  require(set === 'text' || vocabulary === 'bytes', [
    'data.vocabulary',
    'data.set',
  ], `goes with set: text only, not ${set}`);
  require(length === undefined || !isOf('images', data), [
    'data.length',
    'data.set',
  ], `goes with text and audio only, not ${set}`);
  require(context === 0 || isOf('text', data), [
    'data.context',
    'data.set',
  ], `goes with text only, not ${set}`);
  require(augment === 'none' || isOf('images', data), [
    'data.augment',
    'data.set',
  ], `${augment} is for images, not ${set}`);
}

function modelConflicts({ data, model, samples }: Config, require: Require): void {
  const { kind, output, network, upscale } = model;
  const isSequential = kind === 'arm' || kind === 'permuted';
  require(kind !== 'arm' || network.kind !== 'unet', [
    'model.kind',
    'model.network.kind',
  ], 'arm takes a transformer or a diffwave network, not a unet');
  require(kind !== 'permuted' || network.kind === 'transformer', [
    'model.kind',
    'model.network.kind',
  ], `permuted takes a transformer, not a ${network.kind}`);
  require(kind !== 'permuted' || data.context === 0, [
    'data.context',
    'model.kind',
  ], `${data.context} does not go with model.kind permuted`);
  require(!isSequential || samples.budget === undefined, [
    'samples.budget',
    'model.kind',
  ], `${samples.budget} does not go with model.kind ${kind}, which takes a network call a variable`);
  require(kind !== 'upscale' || output === 'softmax', [
    'model.output',
    'model.kind',
  ], `${output} does not go with model.kind upscale: its stages are softmaxes`);
  require(output !== 'logistic-rgb' || kind === 'oa', [
    'model.output',
    'model.kind',
  ], `logistic-rgb goes with model.kind oa only, not ${kind}`);
  const { shape, numClasses } = dataShape(data) ?? { shape: undefined, numClasses: 256 };
  require(output !== 'logistic-rgb' || !shape || shape[2] === 3, [
    'model.output',
    'data.set',
  ], `logistic-rgb is for images of 3 channels, and those of ${data.set} have ${shape?.[2]}`);
  if (kind !== 'upscale') return;
  const isText8 = upscale.map === 'augment-text8';
  require(!isText8 || numClasses === 28, [
    'model.upscale.map',
    'data.set',
  ], `augment-text8 is for the 28 classes of text8, not for ${numClasses}`);
  require(isText8 || upscale.base <= numClasses, [
    'model.upscale.base',
    'data.set',
  ], `${upscale.base} is more than the ${numClasses} classes of a variable`);
  if (upscale.parametrization !== 'direct' || upscale.base > numClasses) return;
  require(upscale.map === 'zero', [
    'model.upscale.map',
    'model.upscale.parametrization',
  ], `${upscale.map} does not go with parametrization: direct`);
  const { numStages } = createStageMap('zero', numClasses, upscale.base);
  const reach = upscale.base ** numStages;
  require(reach === numClasses, [
    'model.upscale.base',
    'data.set',
  ], `${upscale.base} makes ${numStages} stages of ${reach} classes, and parametrization: direct needs just the ${numClasses} of a variable: take a base of which they are a power`);
}

/** Whether the network's widths, groups, heads and resolutions fit together and the examples, where their shape is known. */
function modelMisfit({ data, model }: Config): Conflict | undefined {
  try {
    describeModel(model, dataShape(data) ?? smallestImages(model));
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // The plans' messages begin with the setting.
    const [, path, text] = /^(model\.\S+) (.*)$/s.exec(error.message) ?? [, 'model.kind', error.message];
    return { paths: [path!], text: text! };
  }
}

/** Grey images that every U-Net of so many resolutions takes. */
function smallestImages({ network, output }: Config['model']) {
  const side = network.kind === 'unet' ? 2 ** (network.multipliers.length - 1) : 1;
  return { shape: [side, side, output === 'logistic-rgb' ? 3 : 1] as const, numClasses: 256 };
}

/** What is allowed and probably not meant. */
export function findDoubts({ model: { network } }: Config): Conflict[] {
  if (network.kind !== 'unet') return [];
  const { channels, multipliers, groups } = network;
  const narrowest = channels * Math.min(...multipliers);
  if (narrowest >= 2 * groups) return [];
  const advice = `take at most ${narrowest / 2}`;
  return [
    {
      paths: ['model.network.groups', 'model.network.channels'],
      text: `${groups} groups on ${narrowest} channels: with one channel a group the net is blind to its time step; ${advice}`,
    },
  ];
}
