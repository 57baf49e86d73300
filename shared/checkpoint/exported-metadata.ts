import path from 'node:path';
import { z } from 'zod';
import { mediumOf } from '../config/medium.js';
import { configSchema, type Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { version } from '../package.js';
import type { TrainedModel } from './open.js';

const FORMAT = '1';

/** What an exported model says of itself: the checkpoint's own facts, those that sampling and evaluation need. */
export type Facts = Pick<TrainedModel, 'step' | 'sha256' | 'dataHash' | 'shape' | 'numClasses' | 'config'> & {
  /** See `modelHash`. */
  readonly modelHash: string;
};

/** A model's config without what is of the run alone: who computed, where it was served, in which folder the data lay. */
export function releasedConfig({ name, seed, data, model, training, evaluation, samples }: Config) {
  const folder = data.folder && path.basename(data.folder);
  const file = data.file && path.basename(data.file);
  return { name, seed, data: { ...data, folder, file }, model, training, evaluation, samples };
}

/** Facts as the strings that safetensors and ONNX files hold, by name. */
export function encodeFacts(facts: Facts): Record<string, string> {
  const { config, step, shape, numClasses, sha256, dataHash, modelHash } = facts;
  return {
    ardm_format: FORMAT,
    ardm_version: version,
    step: String(step),
    seed: String(config.seed),
    shape: JSON.stringify(shape),
    classes: String(numClasses),
    context: String(config.data.context),
    medium: JSON.stringify(mediumOf(config.data)),
    model_hash: modelHash,
    parameters_sha256: sha256,
    ...(dataHash !== undefined && { data_hash: dataHash }),
    config: JSON.stringify(releasedConfig(config)),
  };
}

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The others are for readers that know nothing of configs. */
const stringsSchema = z.object({
  step: z.string().transform(Number).pipe(count),
  shape: z
    .string()
    .transform(parsedJson)
    .pipe(z.tuple([count, count, count])),
  classes: z.string().transform(Number).pipe(count),
  model_hash: sha256,
  parameters_sha256: sha256,
  data_hash: sha256.optional(),
  config: z.string().transform(parsedJson).pipe(configSchema),
});

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The inverse of `encodeFacts`; settings that are the run's own are the default ones.
 *
 * @param file to be named
 * @throws UserError where this is no exported model, or not one that this version reads
 */
export function parseFacts(strings: ReadonlyMap<string, string>, file: string): Facts {
  const [format, writer] = [strings.get('ardm_format'), strings.get('ardm_version')];
  if (format === undefined) throw new UserError(`${file} is no model that ardm export wrote`);
  const { data, error } = stringsSchema.safeParse(Object.fromEntries(strings));
  if (format === FORMAT && data) {
    const { step, shape, classes: numClasses, model_hash, parameters_sha256, data_hash, config } = data;
    return {
      ...{ step, sha256: parameters_sha256, shape, numClasses, config, modelHash: model_hash },
      ...(data_hash !== undefined && { dataHash: data_hash }),
    };
  }
  const { path: at = ['format'], message = `is ${JSON.stringify(format)}, not "${FORMAT}"` } =
    error?.issues[0] ?? {};
  throw new UserError(
    `${file}: its ${at.join('.')}: ${message}. ardm ${JSON.stringify(writer)} wrote it, and this is ${version}: use that version`,
  );
}
