import { UsageError } from '../errors.js';
import { planUnet } from '../networks/unet/plan.js';
import type { Config } from './schema.js';
import { publishedSets } from './sets.js';

/** Settings that don't go together. */
export interface Conflict {
  /** The settings that take part, the one to change first. */
  readonly paths: readonly string[];
  /** What is wrong, after the first path's name. */
  readonly text: string;
}

/** What must hold between settings and no single one shows. */
export function findConflicts(config: Config): Conflict[] {
  const { data, training, workers } = config;
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
  if (data.set === 'folder')
    require(data.folder !== undefined, ['data.folder'], 'is missing: set: folder needs it');
  else
    require(data.folder === undefined, [
      'data.folder',
      'data.set',
    ], `goes with set: folder only, not ${data.set}`);
  const misfit = networkMisfit(config);
  if (misfit) conflicts.push(misfit);
  return conflicts;
}

/** Whether the network's widths, groups, heads and resolutions fit together, and the images where their size is known. */
function networkMisfit({ data, model }: Config): Conflict | undefined {
  const smallest = 2 ** (model.network.multipliers.length - 1);
  const [height, width] = data.set === 'folder' ? [smallest, smallest] : publishedSets[data.set].shape;
  const io = { height, width, channels: 1, maskChannels: 1, numInputClasses: 2, numOutputs: 2 };
  try {
    planUnet(model.network, io);
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // The plan's messages begin with the setting.
    const [, path, text] = /^(\S+) (.*)$/s.exec(error.message)!;
    return { paths: [path!], text: text! };
  }
}

/** What is allowed and probably not meant. */
export function findDoubts({ model }: Config): Conflict[] {
  const { channels, multipliers, groups } = model.network;
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
