import { crc32c } from './crc32c.js';
import type { Coded } from './batches.js';
import { unpackAbsent } from './absent.js';
import { isPlain, type Entry, type ModelEntry, type PlainEntry } from './entry.js';
import { CompressionError } from './error.js';
import { sizeOfExample, type CoverageModel } from './file-coder.js';
import { unpackPlain } from './plain.js';

/** A file and its name, without folders. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The original of an entry that needs no model.
 *
 * @param of names the compressed file in errors
 * @throws CompressionError where it is not what it was
 */
export async function restorePlain(entry: PlainEntry, of: string): Promise<NamedFile> {
  const { method, body, length } = entry;
  const bytes = method === 'stored' ? body : await unpackPlain(body, length);
  if (!bytes) throw new CompressionError(`${of} is damaged: ${entry.name} can't be unpacked`);
  return checked(entry, bytes, of);
}

/** The bytes as the original of an entry. Throws CompressionError where they are not. */
export function checked(entry: Entry, bytes: Uint8Array, of: string): NamedFile {
  const { name, length, crc } = entry;
  if (bytes.length === length && crc32c(bytes) === crc) return { name, bytes };
  const why = isPlain(entry)
    ? `${of} is damaged`
    : `${of} is damaged, or the model computes otherwise here than where it was written`;
  throw new CompressionError(`${name} does not come back as it was, and is not written: ${why}`);
}

/**
 * The examples of an entry, the first of them at `place`.
 *
 * @param maxSize bytes that their classes may take
 * @throws CompressionError where they are too many
 */
export function codedOf(
  { name, streams, absent }: ModelEntry,
  place: number,
  model: CoverageModel,
  { of, maxSize }: { readonly of: string; readonly maxSize: number },
): Coded[] {
  const size = sizeOfExample(model);
  if (streams.length * size > maxSize)
    throw new CompressionError(
      `${name} has ${streams.length} examples of ${size} variables, more than --max-size allows: raise it if you trust the file`,
    );
  const mask = unpackAbsent(
    absent,
    streams.length,
    model.shape,
    `${of} is damaged: what is absent in ${name}`,
  );
  return streams.map((stream, i) => ({
    place: place + i,
    stream,
    ...(mask && { absent: mask.subarray(i * size, (i + 1) * size) }),
  }));
}
