import path from 'node:path';
import type { Manifest } from './manifest.js';
import { ARRAYS, FILES, RESIDUAL_FILE, tensorsOf, type StateArray, type StateModel } from './state.js';
import { verifyTensors } from './tensor-file.js';

export interface VerifyOptions {
  /** The model whose tensors the files must hold; absent: any. */
  readonly model?: StateModel;
  /** Those to read; absent: all. */
  readonly arrays?: readonly StateArray[];
}

/**
 * Reads a checkpoint's files from end to end and compares them with its manifest.
 *
 * @throws Damage at the first thing that is wrong
 */
export async function verifyFiles(
  folder: string,
  { files }: Manifest,
  { model, arrays = ARRAYS }: VerifyOptions = {},
): Promise<void> {
  for (const array of arrays) {
    const tensors = model && tensorsOf(array, model);
    await verifyTensors(path.join(folder, FILES[array]), files[FILES[array]]!, tensors);
  }
  const residual = files[RESIDUAL_FILE];
  if (residual && arrays === ARRAYS)
    await verifyTensors(path.join(folder, RESIDUAL_FILE), residual, model?.parameters);
}
