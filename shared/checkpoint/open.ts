import { stat } from 'node:fs/promises';
import path from 'node:path';
import { configSchema, type Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { countParameters, type ParameterSpec } from '../networks/network.js';
import { Damage, damagedError } from './damage.js';
import { openExported } from './exported.js';
import { readManifest, type Manifest } from './manifest.js';
import { openNewest } from './newest.js';
import { FILES, tensorsOf } from './state.js';
import { readTensors, verifyTensors } from './tensor-file.js';
import { verifyFiles } from './verify.js';

/** A trained model in a checkpoint or an exported file, ready to sample and evaluate. */
export interface TrainedModel {
  /** The checkpoint's own folder, or the file. */
  readonly path: string;
  readonly step: number;
  /** SHA-256 (hex) of the checkpoint's parameters' bytes. */
  readonly sha256: string;
  readonly config: Config;
  /** [height, width, channels] of an example. */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  /** Of the user's own files that it was trained on: see `Dataset`. Absent for published sets. */
  readonly dataHash?: string;
  /** A line for each newer checkpoint that was passed over: its path and what is wrong with it. */
  readonly skipped: readonly string[];
  /**
   * The moving average of the parameters, in memory order, one after another.
   *
   * @throws UserError where it is not of this model
   */
  loadEma(parameters: readonly ParameterSpec[]): Promise<Float32Array>;
  /**
   * The loss components that training saw, bits per dimension: one a time step, NaN where none was seen.
   *
   * @throws UserError where they are damaged or absent
   */
  loadComponents(): Promise<Float64Array>;
}

/**
 * Opens the newest good checkpoint at `at`, a run's folder or its folder of checkpoints, or `at` itself where that is a checkpoint.
 * Its manifest and moving average are verified, all that it needs: the other files may be absent. A file is an exported model.
 *
 * @throws UserError where there is none, none is good, or it is of a version whose config this one can't read
 */
export async function openCheckpoint(at: string): Promise<TrainedModel> {
  const there = await stat(at).catch(() => undefined);
  if (there?.isFile()) return openExported(at);
  const found = await openNewest(at, async (checkpoint) => {
    const manifest = await readManifest(checkpoint);
    await verifyFiles(checkpoint, manifest, { arrays: ['ema'] });
    return manifest;
  });
  if (!found) {
    throw new UserError(
      `${at}: there is no checkpoint. Name the folder of a run that has saved one, such as runs/mnist, or an exported model`,
    );
  }
  const { path: folder, opened: manifest, skipped } = found;
  const { step, sha256, shape, numClasses, dataHash } = manifest;
  const loadEma = async (parameters: readonly ParameterSpec[]) => {
    const ema = new Float32Array(countParameters(parameters));
    await readTensors(path.join(folder, FILES.ema), parameters, ema);
    return ema;
  };
  const loadComponents = async () => {
    const file = path.join(folder, FILES.components);
    const [tensor] = await verifyTensors(file, manifest.files[FILES.components]!);
    const numSteps = tensor?.shape[0] ?? 0;
    const components = new Float64Array(numSteps);
    await readTensors(file, tensorsOf('components', { parameters: [], numSteps }), components);
    return components;
  };
  return {
    path: folder,
    step,
    sha256,
    config: configOf(folder, manifest),
    shape,
    numClasses,
    ...(dataHash !== undefined && { dataHash }),
    skipped,
    loadEma: (parameters) => orDamaged(folder, loadEma(parameters)),
    loadComponents: () => orDamaged(folder, loadComponents()),
  };
}

/** Tells a user what is damaged. */
async function orDamaged<T>(folder: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    throw error instanceof Damage ? damagedError(folder, error) : error;
  }
}

function configOf(folder: string, { config, version }: Manifest): Config {
  const { data, error } = configSchema.safeParse(config);
  if (data) return data;
  const { path: setting, message } = error.issues[0]!;
  throw new UserError(
    `${folder}: its config has ${setting.join('.')}: ${message}. It was written by ardm ${version}: use that version`,
  );
}
