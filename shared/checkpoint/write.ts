import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { configSchema } from '../config/schema.js';
import { UserError } from '../errors.js';
import type { ParameterSpec } from '../networks/network.js';
import { Damage } from './damage.js';
import * as folders from './folder.js';
import { readManifest, totalBytes, writeManifest, type Manifest } from './manifest.js';
import { superfluous, type Retention } from './retention.js';
import { ARRAYS, FILES, RESIDUAL_FILE, tensorsOf, type StateModel, type TrainingState } from './state.js';
import { writeTensors, type FileRecord } from './tensor-file.js';
import { verifyFiles } from './verify.js';

/** All that a run goes on from. Nothing of it may change while it is written. */
export interface Snapshot {
  /** Committed steps. */
  readonly step: number;
  readonly run: string;
  readonly config: object;
  readonly configHash: string;
  readonly chain: string;
  readonly repeatable: boolean;
  /** [height, width, channels] of an example. */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  /** Of a user's own files: see `Dataset`. */
  readonly dataHash?: string;
  readonly parameters: readonly ParameterSpec[];
  readonly state: TrainingState;
  /** What the averages that were published lack; absent where the run keeps none. */
  readonly residual?: Float32Array;
}

export interface Written {
  readonly path: string;
  /** SHA-256 (hex) of the parameters' bytes: see the manifest. */
  readonly sha256: string;
  readonly bytes: number;
  /** What could not be cleaned up, a line each. */
  readonly warnings: string[];
}

/**
 * Writes a checkpoint into a run's folder of checkpoints, reads it back, and only then publishes it: under its final name,
 * as `latest`, on the disk for good. Then removes those that the retention lets go. A folder has one writer at a time.
 *
 * @throws UserError where the disk refuses or returns other bytes: then no half of it is left, and `latest` names a whole one as before
 */
export async function writeCheckpoint(
  folder: string,
  snapshot: Snapshot,
  retention: Retention,
): Promise<Written> {
  const temporary = folders.temporaryPath(folder);
  try {
    await mkdir(folder, { recursive: true });
    await folders.syncFolder(path.dirname(folder));
    const warnings = await attempts(await folders.staleTemporaries(folder), (file) =>
      rm(file, { recursive: true, force: true }),
    );
    await mkdir(temporary);
    const manifest = await fill(temporary, snapshot);
    await verifyFiles(temporary, await readManifest(temporary), { model: modelOf(snapshot) });
    const name = await publish(folder, temporary, manifest);
    await folders.writeLatest(folder, name);
    const old = superfluous(await folders.listCheckpoints(folder), name, retention).map(
      (entry) => entry.path,
    );
    warnings.push(...(await attempts(old, folders.removeCheckpoint)));
    const { sha256 } = manifest;
    return { path: path.join(folder, name), sha256, bytes: totalBytes(manifest), warnings };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw writeError(folder, snapshot.step, error);
  }
}

function modelOf({ parameters, state }: Snapshot): StateModel {
  return { parameters, numSteps: state.components.length };
}

async function fill(folder: string, snapshot: Snapshot): Promise<Manifest> {
  const { step, run, configHash, chain, repeatable, shape, numClasses, dataHash, state, residual } = snapshot;
  const config = configSchema.parse(snapshot.config);
  const files: Record<string, FileRecord> = {};
  let sha256 = '';
  for (const array of ARRAYS) {
    const file = path.join(folder, FILES[array]);
    const metadata = { array, step: String(step) };
    const tensors = tensorsOf(array, modelOf(snapshot));
    const { dataSha256, ...record } = await writeTensors(file, tensors, state[array], metadata);
    files[FILES[array]] = record;
    if (array === 'parameters') sha256 = dataSha256;
  }
  if (residual) {
    const file = path.join(folder, RESIDUAL_FILE);
    const metadata = { array: 'residual', step: String(step) };
    const { bytes, sha256 } = await writeTensors(file, snapshot.parameters, residual, metadata);
    files[RESIDUAL_FILE] = { bytes, sha256 };
  }
  const manifest = await writeManifest(folder, {
    run,
    step,
    examples: step * config.training.batch,
    seed: config.seed,
    chain,
    repeatable,
    sha256,
    shape,
    numClasses,
    ...(dataHash !== undefined && { dataHash }),
    configHash,
    config,
    files,
  });
  await folders.syncFolder(folder);
  return manifest;
}

/** Gives the checkpoint in `temporary` its name, unless the same one is there already and good. */
async function publish(folder: string, temporary: string, manifest: Manifest): Promise<string> {
  const entries = await folders.listCheckpoints(folder);
  const former = entries.find(({ step }) => step === manifest.step);
  if (former && (await isSame(former.path, manifest))) {
    await rm(temporary, { recursive: true });
    // A process that was killed may have left its name unflushed.
    await folders.syncFolder(folder);
    return former.name;
  }
  const name = folders.nextName(entries, manifest.step);
  await rename(temporary, path.join(folder, name));
  await folders.syncFolder(folder);
  return name;
}

async function isSame(checkpoint: string, manifest: Manifest): Promise<boolean> {
  const identity = ({ chain, configHash, files }: Manifest) =>
    JSON.stringify([
      chain,
      configHash,
      [...ARRAYS.map((array) => FILES[array]), RESIDUAL_FILE].map(
        (file) => files[file as keyof typeof files],
      ),
    ]);
  try {
    const former = await readManifest(checkpoint);
    if (identity(former) !== identity(manifest)) return false;
    await verifyFiles(checkpoint, former);
    return true;
  } catch (error) {
    if (error instanceof Damage || error instanceof UserError) return false;
    throw error;
  }
}

/** Does something to each of the files; returns a line for each that the system refused. */
async function attempts(files: readonly string[], act: (file: string) => Promise<void>): Promise<string[]> {
  const warnings: string[] = [];
  for (const file of files) {
    await act(file).catch((error: Error) => warnings.push(`can't remove ${file}: ${error.message}`));
  }
  return warnings;
}

function writeError(folder: string, step: number, error: unknown): unknown {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  const start = `can't write the checkpoint of step ${step} into ${folder}: `;
  if (error instanceof Damage) {
    const text = `${start}read back, ${message}. The disk is failing: move the run's folder to another and name it with --run-dir`;
    return new UserError(text, undefined, { cause: error });
  }
  if (errno === undefined) return error;
  const what = code === 'ENOSPC' ? 'the disk is full (ENOSPC)' : message;
  const text =
    `${start}${what}. Make room and give write permission there, keep fewer (checkpoints.keepLast), ` +
    `or move the run's folder elsewhere and name it with --run-dir`;
  return new UserError(text, undefined, { cause: error });
}
