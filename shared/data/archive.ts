import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { readTarGz } from './tar.js';

/** The files of an archive one after another: the name inside it, and the bytes. */
export type Entries = AsyncIterable<readonly [name: string, bytes: Uint8Array]>;

/** The files of an archive -> files of a set, each in parts that follow one another. */
export type Unpack = (entries: Entries) => AsyncIterable<readonly [name: string, parts: Uint8Array[]]>;

/**
 * The files of a .zip or .tar.gz archive. A .tar.gz is held in memory one file at a time, a .zip whole.
 *
 * @param file where it lies
 * @param name its published name, whose ending tells what it is
 * @throws Error when it is damaged; the signal's AbortError
 */
export async function* readArchive(file: string, name: string, signal?: AbortSignal): Entries {
  if (name.endsWith('.zip')) yield* Object.entries(unzipSync(await readFile(file)));
  else yield* readTarGz(createReadStream(file, { signal }));
}
