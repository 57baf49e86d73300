import { parseCoordinatorKeys, parseWorkerKeys } from './format.js';
import { openKeyFolder } from './folder.js';
import type { CoordinatorKeys, WorkerKeys } from './keys.js';
import { readPrivate } from './private-file.js';

/** Holds keys themselves, not where they are: for containers. */
const VARIABLE = 'ARDM_KEYS';

/**
 * A worker's keys: in the file, else in ARDM_KEYS, else none.
 *
 * @throws UserError
 */
export function givenWorkerKeys(file: string | undefined): WorkerKeys | undefined {
  const text = takeVariable();
  if (file !== undefined) return parseWorkerKeys(readPrivate(file), file);
  return text === undefined ? undefined : parseWorkerKeys(text, VARIABLE);
}

/**
 * A coordinator's keys: in the folder, else in ARDM_KEYS, else none.
 *
 * @throws UserError
 */
export function givenCoordinatorKeys(folder: string | undefined): CoordinatorKeys | undefined {
  const text = takeVariable();
  if (folder !== undefined) return openKeyFolder(folder);
  if (text === undefined) return undefined;
  const { own, allowed } = parseCoordinatorKeys(text, VARIABLE);
  return { own, nameOf: (publicKey) => allowed.get(publicKey) };
}

/** Takes the variable out of the environment: no process or thread that this one starts inherits it. */
function takeVariable(): string | undefined {
  const text = process.env[VARIABLE];
  delete process.env[VARIABLE];
  return text || undefined;
}
