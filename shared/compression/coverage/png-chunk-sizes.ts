import type { ByteReader } from '../byte-reader.js';
import type { ByteWriter } from '../byte-writer.js';

/** One chunk, a list of their sizes, or from here on their size plus two, of all but the last. */
const FORM = { one: 0, list: 1, equal: 2 } as const;

/** Writes how bytes are cut into chunks. */
export function writeChunkSizes(writer: ByteWriter, sizes: readonly number[]): void {
  const [first = 0] = sizes;
  const last = sizes.at(-1) ?? 0;
  const isEqual =
    first > 0 && last > 0 && last <= first && sizes.slice(0, -1).every((size) => size === first);
  if (sizes.length === 1) writer.number(FORM.one);
  else if (isEqual) writer.number(FORM.equal + first);
  else {
    writer.number(FORM.list).number(sizes.length - 1);
    for (const size of sizes.slice(0, -1)) writer.number(size);
  }
}

/**
 * Reads how `total` bytes are cut into chunks.
 *
 * @throws CompressionError
 */
export function readChunkSizes(reader: ByteReader, total: number): readonly number[] {
  const form = reader.number('a form of chunks', FORM.equal + total);
  if (form === FORM.one) return [total];
  const sizes: number[] = [];
  let left = total;
  const take = (size: number): void => {
    sizes.push(size);
    left -= size;
  };
  if (form === FORM.list) {
    for (let following = reader.number('chunks', reader.left); following > 0; following--)
      take(reader.number('a chunk', left));
    return [...sizes, left];
  }
  const size = form - FORM.equal;
  if (size === 0) throw reader.error('has chunks without bytes');
  while (left > 0) take(Math.min(size, left));
  return sizes;
}
