import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserError } from '../errors.js';
import { unreadable } from './own-files.js';
import type { DataFile, Source } from './source.js';

export { defaultCacheFolder } from '../cache-folder.js';

/** Size and SHA-256 (hex) of some bytes. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** @param parts of the bytes, in turn */
export async function digestOf(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of parts) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/**
 * Of a file of any size, which is never in memory whole.
 *
 * @throws UserError when it can't be read
 */
export async function digestOfFile(file: string): Promise<Digest> {
  return digestOf(createReadStream(file, { highWaterMark: 2 ** 20 })).catch(unreadable(file));
}

/** What is wrong with a file's bytes, as the rest of a sentence; undefined when they are the expected ones. */
export function damageOf(found: Digest, expected: DataFile): string | undefined {
  if (found.bytes !== expected.bytes) {
    const what = found.bytes < expected.bytes ? 'truncated' : 'too long';
    return `is ${what}: ${found.bytes} bytes instead of ${expected.bytes}`;
  }
  return expected.sha256 === undefined || found.sha256 === expected.sha256
    ? undefined
    : `is altered: sha256 ${found.sha256} instead of ${expected.sha256}`;
}

/** What was found of a set. */
export interface Found {
  /** Whole and unaltered, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Paths of those files. */
  readonly paths: readonly string[];
  /** Files of the set that were refused. */
  readonly damaged: readonly { readonly path: string; readonly damage: string }[];
  /** All files of the set are here. */
  readonly complete: boolean;
}

/**
 * Reads the files of a set from its folder in the cache or from where else they may be installed, plain or .gz, and checks size and
 * checksum of each.
 *
 * @throws UserError when a file is there but can't be read
 */
export async function findFiles(source: Source, cacheFolder: string): Promise<Found> {
  const files = new Map<string, Uint8Array>();
  const paths: string[] = [];
  const damaged: { path: string; damage: string }[] = [];
  const folders = [path.join(cacheFolder, source.name), ...source.installed()];
  for (const expected of source.files) {
    const stem = (folder: string) => path.join(folder, expected.name);
    for (const candidate of folders.flatMap((folder) => [stem(folder), `${stem(folder)}.gz`])) {
      const { bytes, damage } = await readChecked(candidate, expected);
      if (damage !== undefined) damaged.push({ path: candidate, damage });
      if (!bytes) continue;
      files.set(expected.name, bytes);
      paths.push(candidate);
      break;
    }
  }
  return { files, paths, damaged, complete: files.size === source.files.length };
}

async function readChecked(
  file: string,
  expected: DataFile,
): Promise<{ bytes?: Uint8Array; damage?: string }> {
  let bytes = await readIfThere(file);
  if (!bytes) return {};
  if (file.endsWith('.gz')) {
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: expected.bytes + 1 });
    } catch (error) {
      return { damage: `can't be unpacked: ${(error as Error).message}` };
    }
  }
  const sha256 = expected.sha256 ?? (await recordedSha256(file));
  if (sha256 === undefined) return { damage: 'has no checksum beside it' };
  const damage = damageOf(await digestOf([bytes]), { ...expected, sha256 });
  return damage === undefined ? { bytes } : { damage };
}

const recordOf = (file: string) => `${file}.sha256`;

async function recordedSha256(file: string): Promise<string | undefined> {
  const record = await readIfThere(recordOf(file));
  return record && Buffer.from(record).toString('latin1', 0, 64);
}

/** Writes the checksum of a file that is about to be written, as sha256sum does. */
export async function recordSha256(file: string, { sha256 }: Digest): Promise<void> {
  await writeWhole(recordOf(file), [Buffer.from(`${sha256}  ${path.basename(file)}\n`)]);
}

/** A file's bytes; undefined when there is no such file. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return unreadable(file)(error as Error);
  }
}

let numSuffixes = 0;

/** `host-pid-n`, which no other process or call uses; it tells whether the process that used it is still alive. */
export const uniqueSuffix = (): string => `${hostname()}-${process.pid}-${++numSuffixes}`;

/** Writes the parts of a file under a name of its own, then moves it to its place: readers see it whole or not at all. */
export async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${file}.${uniqueSuffix()}`;
  await onDisk(file, async () => {
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(temporary, parts);
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** Runs what writes at `place`; a full disk or a missing right becomes a UserError that names the place. */
export async function onDisk<T>(place: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'ENOSPC' ? 'the disk is full' : message;
    throw new UserError(
      `can't write ${place}: ${what}. Make room there, or set ARDM_CACHE to a folder elsewhere`,
      undefined,
      { cause: error },
    );
  }
}
