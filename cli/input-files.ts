import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { nameProblem } from '../shared/compression/file-name.js';
import type { NamedFile } from '../shared/compression/restore.js';
import { UsageError, UserError } from '../shared/errors.js';

/** A file that is to be compressed. */
export interface InputFile {
  /** Without folders: what its entry is called. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Finds the files that are named and, where `recursive`, all those in the folders that are named and in the folders below, by their names; links
 * are followed only where they are named.
 *
 * @throws UserError, UsageError where one is a folder, can't be told from another by its name, or has a name that can't be kept
 */
export async function findInputs(inputs: readonly string[], recursive: boolean): Promise<InputFile[]> {
  const found: InputFile[] = [];
  for (const input of inputs) {
    const { isFolder, bytes } = await look(input);
    if (isFolder && !recursive)
      throw new UsageError(`${input} is a folder: compress the files in it with -r, or name them`);
    if (isFolder) found.push(...(await filesBelow(input)));
    else found.push({ name: path.basename(path.resolve(input)), path: input, bytes });
  }
  if (found.length === 0) throw new UsageError(`${inputs.join(', ')}: there are no files`);
  const paths = new Map<string, string>();
  for (const { name, path: at } of found) {
    const problem = nameProblem(name);
    if (problem) throw new UsageError(`${at}: this name can't be kept, for ${problem}. Rename it`);
    const other = paths.get(name);
    if (other !== undefined)
      throw new UsageError(
        `${other} and ${at} are both called ${name}, and folders are not kept: rename one, or compress them apart`,
      );
    paths.set(name, at);
  }
  return found;
}

async function filesBelow(folder: string): Promise<InputFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unreadable(folder));
  const found: InputFile[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(at)));
    else if (entry.isFile()) found.push({ name: entry.name, path: at, bytes: (await look(at)).bytes });
    else console.error(`passed over ${at}: no file or folder`);
  }
  return found;
}

async function look(at: string): Promise<{ isFolder: boolean; bytes: number }> {
  const there = await stat(at).catch(unreadable(at));
  if (!there.isFile() && !there.isDirectory()) throw new UsageError(`${at} is no file or folder`);
  return { isFolder: there.isDirectory(), bytes: there.size };
}

/** Reads the files one after another. */
export async function* readInputs(files: readonly InputFile[]): AsyncGenerator<NamedFile> {
  for (const { name, path: at } of files) yield { name, bytes: await readFile(at).catch(unreadable(at)) };
}

const unreadable =
  (at: string) =>
  (error: NodeJS.ErrnoException): never => {
    const why = error.code === 'ENOENT' ? 'there is none' : error.message;
    throw new UserError(`can't read ${at}: ${why}`, undefined, { cause: error });
  };
