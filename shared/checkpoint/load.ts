import path from 'node:path';
import type { Config } from '../config/schema.js';
import { UsageError } from '../errors.js';
import type { ParameterSpec } from '../networks/network.js';
import { readManifest, type Manifest } from './manifest.js';
import { openNewest } from './newest.js';
import { decisiveDifferences } from './other-config.js';
import { ARRAYS, FILES, RESIDUAL_FILE, tensorsOf, type TrainingState } from './state.js';
import { readTensors } from './tensor-file.js';
import { verifyFiles } from './verify.js';

/** What a checkpoint must fit, and where its arrays go. */
export interface LoadOptions {
  readonly parameters: readonly ParameterSpec[];
  readonly config: Config;
  readonly configHash: string;
  /** Of a user's own files as they are now: see `Dataset`. Absent for published sets. */
  readonly dataHash?: string;
  readonly state: TrainingState;
  /** Takes the residual of a run that keeps one, where the checkpoint has it. */
  readonly residual?: Float32Array;
}

export interface Loaded {
  /** Committed steps. */
  readonly step: number;
  readonly chain: string;
  /** The checkpoint's own folder. */
  readonly path: string;
  /** A line for each newer checkpoint that was passed over: its path and what is wrong with it. */
  readonly skipped: string[];
}

/**
 * Fills the state from the newest good checkpoint at `at`, a run's folder or its folder of checkpoints, or from `at` itself where
 * that is a checkpoint. Undefined where there is none. The state is touched only once all of a checkpoint was verified.
 *
 * @throws UsageError where it belongs to another config: which settings differ; or was trained on the same files when they were others
 * @throws UserError where there are checkpoints but none is good, or `at` is a damaged one: what is wrong with each
 */
export async function loadCheckpoint(at: string, options: LoadOptions): Promise<Loaded | undefined> {
  const { parameters, state, residual } = options;
  const model = { parameters, numSteps: state.components.length };
  const found = await openNewest(at, async (checkpoint) => {
    const manifest = await readManifest(checkpoint);
    if (manifest.configHash !== options.configHash) throw otherConfig(checkpoint, manifest, options.config);
    if (isOtherData(options.dataHash, manifest)) throw otherData(checkpoint, options.config);
    await verifyFiles(checkpoint, manifest, { model });
    return manifest;
  });
  if (!found) return undefined;
  for (const array of ARRAYS) {
    await readTensors(path.join(found.path, FILES[array]), tensorsOf(array, model), state[array]);
  }
  if (residual && found.opened.files[RESIDUAL_FILE])
    await readTensors(path.join(found.path, RESIDUAL_FILE), parameters, residual);
  const { step, chain } = found.opened;
  return { step, chain, path: found.path, skipped: found.skipped };
}

/** Whether a user's own files are no longer those that a checkpoint was trained on; what has no hash is taken for the same. */
export function isOtherData(now: string | undefined, { dataHash }: Pick<Manifest, 'dataHash'>): boolean {
  return now !== undefined && dataHash !== undefined && now !== dataHash;
}

function otherData(checkpoint: string, { data }: Config): UsageError {
  return new UsageError(
    `${data.file ?? data.folder} has changed since ${checkpoint} was trained on it. Bring back what was there, ` +
      'or train on what is there now: anew with --resume never, or in a folder of its own with --run-dir',
  );
}

function otherConfig(checkpoint: string, { config: theirs, version }: Manifest, ours: Config): UsageError {
  const show = (value: unknown) => JSON.stringify(value) ?? 'not set';
  const lines = decisiveDifferences(ours, theirs).map(
    ({ path, ours, theirs }) => `  ${path}: ${show(ours)} now, ${show(theirs)} in the checkpoint`,
  );
  if (lines.length === 0)
    lines.push(`  no setting differs, but ardm ${version} wrote it, which counts them differently`);
  return new UsageError(
    [
      `${checkpoint} belongs to another config:`,
      ...lines,
      'Give this run a folder of its own with --run-dir, or start anew with --resume never',
    ].join('\n'),
  );
}
