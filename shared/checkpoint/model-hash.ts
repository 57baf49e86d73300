import { createHash } from 'node:crypto';
import { sortedKeys } from '../config/hash.js';
import { mediumOf } from '../config/medium.js';
import type { ParameterSpec } from '../networks/network.js';
import type { TrainedModel } from './open.js';
import { tensorBytes } from './tensor-file.js';

/**
 * SHA-256 (hex) of what a model computes: its config, the data that it is made for (shape, classes, context, and what these are to a
 * person), and its moving average, as files hold it. It is the same for a checkpoint and for what was exported from it, wherever
 * they lie and whatever they were trained on.
 *
 * @param ema in memory order, as `loadEma` gives it
 */
export function modelHash(
  { config: { model, data }, shape, numClasses }: Pick<TrainedModel, 'config' | 'shape' | 'numClasses'>,
  parameters: readonly ParameterSpec[],
  ema: Float32Array,
): string {
  const about = { model, shape, numClasses, context: data.context, medium: mediumOf(data) };
  const hash = createHash('sha256').update(JSON.stringify(about, sortedKeys));
  for (const bytes of tensorBytes(parameters, ema)) hash.update(bytes);
  return hash.digest('hex');
}
