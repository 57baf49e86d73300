import { UserError } from '../errors.js';
import type { Split } from './dataset.js';

/** Unsigned bytes in three dimensions: count, height, width. */
const MAGIC = 0x00000803;
const HEADER_BYTES = 16;

export interface IdxImages extends Split {
  readonly height: number;
  readonly width: number;
}

/**
 * The images of an idx3-ubyte file (MNIST's format): a header of four big-endian 32-bit numbers (magic, count, height, width), then
 * the pixels, a byte each.
 *
 * @param bytes the whole file, unpacked
 * @param name for errors
 * @throws UserError when the header is of another format or the length does not fit it
 */
export function idxImages(bytes: Uint8Array, name: string): IdxImages {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || header.getUint32(0) !== MAGIC) {
    throw new UserError(`${name} is no idx file of images: it does not start with 0x00000803`);
  }
  const count = header.getUint32(4);
  const height = header.getUint32(8);
  const width = header.getUint32(12);
  const size = height * width;
  if (count === 0 || size === 0 || bytes.length !== HEADER_BYTES + count * size) {
    throw new UserError(
      `${name} is damaged: its header promises ${count} images of ${height}x${width}, ${HEADER_BYTES + count * size} bytes, ` +
        `and it has ${bytes.length}`,
    );
  }
  return {
    count,
    height,
    width,
    read(index, into) {
      const start = HEADER_BYTES + index * size;
      into.set(bytes.subarray(start, start + size));
    },
  };
}
