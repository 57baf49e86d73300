import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { UserError } from '../shared/errors.js';

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
 * Writes a file under the name `<file>.part`, then moves it to its place: it is there whole or not at all.
 *
 * @throws UserError
 */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  await writing(file, async (part) => {
    await writeFile(part, bytes);
    await rename(part, file);
  });
}

async function writing(file: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${file}.part`;
  try {
    await write(part);
  } catch (error) {
    throw new UserError(`can't write ${file}: ${(error as Error).message}`, undefined, { cause: error });
  } finally {
    await rm(part, { force: true }).catch(() => undefined);
  }
}
