import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { EXPORTED_ENDING } from '../shared/checkpoint/exported.js';
import { modelMark } from '../shared/compression/header.js';
import { UserError } from '../shared/errors.js';

/** Names folders to look for models in, divided as PATH is. */
const VARIABLE = 'ARDM_MODELS';

/**
 * The trained model that a compressed file was written with: the one that is given, else one that a folder of ARDM_MODELS is or has in it, a
 * run or an exported model.
 *
 * @param mark the beginning of its hash
 * @param of names the compressed file
 * @throws UserError that says which model is wanted, and what there was instead
 */
export async function findModel(
  mark: string,
  of: string,
  given: string | undefined,
  hashOf: (run: string) => Promise<string>,
): Promise<string> {
  const wanted = `${of} was written with the model ${mark}`;
  if (given !== undefined) {
    const hash = modelMark(await hashOf(given));
    if (hash !== mark)
      throw new UserError(`${wanted}, and ${given} is the model ${hash}: give the right one`);
    return given;
  }
  const folders = (process.env[VARIABLE] ?? '').split(path.delimiter).filter(Boolean);
  let numTried = 0;
  for (const folder of folders) {
    for (const run of await candidates(folder)) {
      const hash = await hashOf(run).catch(orUndefined);
      if (hash !== undefined && modelMark(hash) === mark) return run;
      if (hash !== undefined) numTried++;
    }
  }
  const searched =
    folders.length > 0
      ? `, which is none of the ${numTried} models in ${folders.join(', ')} (${VARIABLE})`
      : `. Folders to look for it in can be named in ${VARIABLE}`;
  throw new UserError(`${wanted}${searched}. Give it with --model`);
}

/** The folder itself, then what may be a model in it. */
async function candidates(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const models = entries.filter((entry) => entry.isDirectory() || entry.name.endsWith(EXPORTED_ENDING));
  return [folder, ...models.map(({ name }) => path.join(folder, name)).sort()];
}

/** A folder that is no model, or a damaged one, is not the one. */
function orUndefined(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}
