import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Config } from './schema.js';

/** What counts. Configs that were written before there was a choice of codecs have no `exchange`. */
type Hashed = Omit<Config, 'exchange'> & Partial<Pick<Config, 'exchange'>>;

/**
 * SHA-256 (hex) of what determines the weights: seed, data, model, training, and the codec where it is none that keeps every bit. Left out are `training.steps`, so that a
 * run may go on for longer, and whatever only watches or serves (evaluation, samples, checkpoints, workers, addresses).
 * A folder or a file counts by its name, so that it may be moved.
 */
export function configHash({ seed, data, model, training, exchange }: Hashed): string {
  const folder = data.folder && path.basename(data.folder);
  const file = data.file && path.basename(data.file);
  const decisive = {
    seed,
    data: { ...data, folder, file },
    model,
    training: { ...training, steps: undefined },
    codec: exchange?.codec.kind === 'float32' ? undefined : exchange?.codec,
  };
  return createHash('sha256').update(JSON.stringify(decisive, sortedKeys)).digest('hex');
}

/** For JSON.stringify: every object's keys in alphabetical order. */
export function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
