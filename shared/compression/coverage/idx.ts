import type { ByteReader } from '../byte-reader.js';
import { ByteWriter } from '../byte-writer.js';
import { isByteImage } from './media.js';
import type { Format } from './format.js';

/** Unsigned bytes in three dimensions: count, height, width. */
const MAGIC = 0x00000803;
const HEADER_BYTES = 16;
const MOST = 2 ** 32 - 1;

/** Grey images of an idx3-ubyte file, as MNIST's; the rest: count, height, width, then what follows the images. */
export const idxFormat: Format = {
  kind: 'idx',
  fits: (model) => isByteImage(model, 1),
  take(bytes) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEADER_BYTES || header.getUint32(0) !== MAGIC) return undefined;
    const [count, height, width] = [4, 8, 12].map((at) => header.getUint32(at)) as [number, number, number];
    const end = HEADER_BYTES + count * height * width;
    if (end > bytes.length) return undefined;
    const rest = new ByteWriter().number(count).number(height).number(width).bytes(bytes.subarray(end));
    return { images: { count, height, width }, values: bytes.subarray(HEADER_BYTES, end), rest };
  },
  put(rest, _, join) {
    const [count, height, width] = [dimension(rest), dimension(rest), dimension(rest)];
    const header = Buffer.alloc(HEADER_BYTES);
    [MAGIC, count, height, width].forEach((value, i) => header.writeUInt32BE(value, i * 4));
    return Buffer.concat([header, join({ count, height, width }) as Uint8Array, rest.bytes(rest.left)]);
  },
};

const dimension = (rest: ByteReader): number => rest.number('a dimension', MOST);
