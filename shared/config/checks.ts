import { UsageError } from '../errors.js';
import { createStageMap } from '../method/stages.js';
import { describeModel } from '../model/description.js';
import { dataShape } from './data-shape.js';
import { SC09_SAMPLE_RATE } from './medium.js';
import { mediumOf, type Medium } from './medium.js';
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
  const isLocal = /^tcp:\/\/(127[.\d]+|localhost|\[::1\]):/i.test(config.listen);
  require(!isLocal || workers.hosts.every(({ coordinator }) => coordinator !== undefined), [
    'listen',
    'workers.hosts',
  ], `${config.listen} is out of reach for workers.hosts: take tcp://0.0.0.0:5670 with --keys`);
  dataConflicts(config, require);
  modelConflicts(config, require);
  // What follows presupposes the rest.
  const misfit = conflicts.length === 0 ? modelMisfit(config) : undefined;
  return misfit ? [misfit] : conflicts;
}

type Require = (holds: boolean, paths: readonly string[], text: string) => void;

const isOf = (kind: Medium['kind'], data: Config['data']) => mediumOf(data).kind === kind;

function dataConflicts({ data }: Config, require: Require): void {
  const { set, folder, file, vocabulary, length, context, sampleRate, augment } = data;
  const goesWith = (holds: boolean, key: keyof Config['data'], what: string) =>
    require(holds, [`data.${key}`, 'data.set'], `goes with ${what} only, not ${set}`);
  if (set === 'folder' || set === 'wav') {
    const text = `is missing: set: ${set} needs it, as in --set data.folder=FOLDER`;
    require(folder !== undefined, ['data.folder', 'data.set'], text);
  } else goesWith(folder === undefined, 'folder', 'set: folder and set: wav');
  if (set === 'text') {
    const text = 'is missing: set: text needs it, as in --set data.file=FILE';
    require(file !== undefined, ['data.file', 'data.set'], text);
  } else goesWith(file === undefined, 'file', 'set: text');
  goesWith(set === 'text' || vocabulary === 'bytes', 'vocabulary', 'set: text');
  goesWith(set === 'wav' || sampleRate === SC09_SAMPLE_RATE, 'sampleRate', 'set: wav');
  goesWith(length === undefined || !isOf('image', data), 'length', 'text and audio');
  goesWith(context === 0 || isOf('text', data), 'context', 'text');
  goesWith(augment === 'none' || isOf('image', data), 'augment', 'images');
}

function modelConflicts({ data, model, samples }: Config, require: Require): void {
  const { kind, output, network, upscale } = model;
  const isSequential = kind === 'arm' || kind === 'permuted';
  const isImages = isOf('image', data);
  require(!isImages || network.kind === 'unet', [
    'model.network.kind',
    'data.set',
  ], `${network.kind} is for text and audio, not ${data.set}: take a unet`);
  require(isImages || network.kind !== 'unet', [
    'model.network.kind',
    'data.set',
  ], `unet is for images, not ${data.set}: take a ${isOf('text', data) ? 'transformer' : 'diffwave'}`);
  require(!isImages || !isSequential, [
    'model.kind',
    'data.set',
  ], `${kind} is for text and audio, not ${data.set}`);
  require(kind !== 'permuted' || network.kind !== 'diffwave', [
    'model.kind',
    'model.network.kind',
  ], 'permuted takes a transformer, not a diffwave');
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

/**
 * Whether the network's widths, groups, heads and resolutions and the samples' budget fit together and the examples, where their
 * shape is known.
 */
function modelMisfit({ data, model, samples }: Config): Conflict | undefined {
  const known = dataShape(data);
  try {
    const { numPositions } = describeModel(model, known ?? smallestImages(model));
    if (!known || samples.budget === undefined || samples.budget <= numPositions) return undefined;
    const what = model.output === 'logistic-rgb' ? 'pixels' : 'variables';
    return {
      paths: ['samples.budget', 'data.length', 'data.set'],
      text: `${samples.budget} network calls are more than the ${numPositions} ${what} that are to be generated: take at most ${numPositions}`,
    };
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
export function findDoubts(config: Config): Conflict[] {
  return [...blindness(config), ...vastness(config)];
}

function blindness({ model: { network } }: Config): Conflict[] {
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

/** Outputs of an example, of which a step holds several copies. */
const VAST_BYTES = 2e9;

function vastness({ data, model }: Config): Conflict[] {
  const known = dataShape(data);
  if (!known) return [];
  const { height, width, numOutputs } = describeModel(model, known).networkShape;
  const bytes = 4 * height * width * numOutputs;
  if (bytes < VAST_BYTES) return [];
  const isUpscale = model.kind === 'upscale';
  const advice = isUpscale ? 'direct' : 'logistic, or model.kind: upscale with parametrization: direct';
  return [
    {
      paths: [isUpscale ? 'model.upscale.parametrization' : 'model.output', 'data.set'],
      text: `${numOutputs} outputs for each of ${height * width} positions are ${(bytes / 1e9).toFixed(1)} GB an example; take ${advice}`,
    },
  ];
}
