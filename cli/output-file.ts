import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../shared/checkpoint/folder.js';
import { uniqueSuffix } from '../shared/data/cache.js';
import { UserError } from '../shared/errors.js';

/** A file's bytes, or these piece by piece. */
export type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Makes sure that a file can be written, before time is spent on what goes into it.
 *
 * @throws UserError
 */
export async function checkWritable(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there && !there.isFile()) throw new UserError(`${file} is no regular file: name another with --out`);
  await writing(file, async (part) => writeFile(part, ''));
}

/**
 * Writes a file under a name of its own, then moves it to its place: it is there whole or not at all.
 *
 * @throws UserError, and whatever the content throws
 */
export async function writeOutput(file: string, content: Content): Promise<void> {
  await writing(file, async (part) => {
    await writeFile(part, content);
    await rename(part, file);
  });
}

/**
 * Writes some files that belong together, and flushes them to the disk: all are complete under other names before the first one
 * is moved to its place.
 *
 * @throws UserError
 */
export async function writeTogether(
  files: readonly (readonly [file: string, content: Content])[],
): Promise<void> {
  const [first, ...others] = files;
  if (!first) return;
  const [file, content] = first;
  await writing(file, async (part) => {
    await writeFile(part, content, { flush: true });
    await writeTogether(others);
    await rename(part, file);
    await syncFolder(path.dirname(file));
  });
}

async function writing(file: string, write: (part: string) => Promise<void>): Promise<void> {
  // No name that a file beside it may have.
  const part = path.join(path.dirname(file), `.${uniqueSuffix()}.part`);
  try {
    await write(part);
  } catch (error) {
    // What the content throws is no matter of the file.
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    throw new UserError(`can't write ${file}: ${(error as Error).message}`, undefined, { cause: error });
  } finally {
    await rm(part, { force: true }).catch(() => undefined);
  }
}
