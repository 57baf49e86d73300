import assert from 'node:assert/strict';
import { ByteSource } from '../../shared/compression/byte-source.js';
import { compressFiles, type CompressOptions } from '../../shared/compression/compress.js';
import { openContainer, writeContainer } from '../../shared/compression/container.js';
import { decompressFiles } from '../../shared/compression/decompress.js';
import type { Entry } from '../../shared/compression/entry.js';
import type { FileCoder } from '../../shared/compression/file-coder.js';
import { headerOf } from '../../shared/compression/header.js';
import type { NamedFile } from '../../shared/compression/restore.js';
import { coverage, madeUpCoder } from './made-up.js';

export async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Bytes in pieces of a length. */
export function sourceOf(bytes: Uint8Array, pieceBytes = bytes.length): ByteSource {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes)
    pieces.push(bytes.subarray(from, from + pieceBytes));
  return new ByteSource('x.ardm', each(pieces));
}

export const namedFiles = (files: Readonly<Record<string, Uint8Array>>): NamedFile[] =>
  Object.entries(files).map(([name, bytes]) => ({ name, bytes }));

/** A compressed file of these entries. */
export async function containerOf(
  entries: readonly Entry[],
  coder: FileCoder = madeUpCoder(),
): Promise<Buffer> {
  return Buffer.concat(await all(writeContainer(headerOf('0.1.0', coder), each(entries))));
}

/** The entries of files. */
export async function entriesOf(
  files: Readonly<Record<string, Uint8Array>>,
  options: Partial<CompressOptions> = {},
): Promise<Entry[]> {
  const { coder = madeUpCoder() } = options;
  return all(compressFiles(each(namedFiles(files)), { coder, coverage, verify: true, ...options }));
}

/** The files of a compressed file, by their names. */
export async function filesOf(
  bytes: Uint8Array,
  coder: FileCoder = madeUpCoder(),
  maxSize = 2 ** 20,
  groupBytes?: number,
): Promise<Record<string, Buffer>> {
  const { entries } = await openContainer(sourceOf(bytes), maxSize);
  const options = { of: 'x.ardm', openCoder: async () => coder, coverage, maxSize, groupBytes };
  const files = await all(decompressFiles(entries, options));
  const named = Object.fromEntries(files.map(({ name, bytes }) => [name, Buffer.from(bytes)]));
  assert.equal(Object.keys(named).length, files.length);
  return named;
}
