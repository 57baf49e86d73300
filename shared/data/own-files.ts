import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.js';

/**
 * The files of a folder and all folders below whose names match, relative to it, with slashes whatever the system, sorted. Names that
 * start with a dot are passed over.
 *
 * @throws UserError when a folder can't be read
 */
export async function namesBelow(folder: string, pattern: RegExp): Promise<string[]> {
  return (await collect(folder, pattern, '')).sort();
}

async function collect(folder: string, pattern: RegExp, below: string): Promise<string[]> {
  const entries = await readdir(path.join(folder, below), { withFileTypes: true }).catch(unreadable(folder));
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) names.push(...(await collect(folder, pattern, `${below}${entry.name}/`)));
    else if (pattern.test(entry.name)) names.push(below + entry.name);
  }
  return names;
}

/** Whether a file belongs to the test split: by a hash of its relative name, whatever other files there are. */
export function isTest(name: string, testFraction: number): boolean {
  return createHash('sha256').update(name).digest().readUInt32BE(0) < testFraction * 2 ** 32;
}

/** Tells files as they were from what has become of them: a hash of their names and bytes, in the order in which they are added. */
export class FilesHash {
  readonly #hash = createHash('sha256');

  add(name: string, bytes: Uint8Array): void {
    this.#hash.update(`${bytes.length} ${name}\0`).update(bytes);
  }

  /** SHA-256 (hex); the last thing to ask. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** For `catch`: a failure to read becomes a UserError that names the place. */
export const unreadable =
  (place: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw new UserError(`can't read ${place}: ${reasons[error.code!] ?? error.message}`, undefined, {
      cause: error,
    });
  };

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none. Bring it back, or say with data.file or data.folder where it is',
  ENOTDIR: 'it is no folder. data.folder names one that has the files in it',
};
