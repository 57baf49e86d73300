import { ByteReader } from '../byte-reader.js';
import { ByteWriter } from '../byte-writer.js';
import { packPlain, unpackPlain } from '../plain.js';

/** A file that holds more than this beside what the model codes is better packed whole. */
const mostBytes = (numVariables: number): number => 2 ** 20 + 4 * numVariables;

/**
 * Packs what the model does not code: the number of bytes, then the bytes packed by brotli; where that gains nothing, 0, then the bytes. No bytes
 * where there are none. Undefined where it is too much.
 *
 * @param numVariables that the model codes of the file
 */
export async function packRest(rest: Uint8Array, numVariables: number): Promise<Uint8Array | undefined> {
  if (rest.length > mostBytes(numVariables)) return undefined;
  if (rest.length === 0) return rest;
  const stored = new ByteWriter().number(0).bytes(rest).finish();
  const packed = new ByteWriter()
    .number(rest.length)
    .bytes(await packPlain(rest))
    .finish();
  return packed.length < stored.length ? packed : stored;
}

/**
 * The inverse of `packRest`.
 *
 * @throws CompressionError
 */
export async function unpackRest(packed: Uint8Array, numVariables: number): Promise<ByteReader> {
  const where = 'The compressed file is damaged: what it holds beside its examples';
  const reader = new ByteReader(packed, where);
  if (packed.length === 0) return reader;
  const length = reader.number('a length', mostBytes(numVariables));
  if (length === 0) return reader;
  const bytes = await unpackPlain(reader.bytes(reader.left), length);
  if (!bytes) throw reader.error('can’t be unpacked');
  return new ByteReader(bytes, where);
}
