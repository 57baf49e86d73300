import { inflateSync } from 'node:zlib';
import { ByteWriter } from '../byte-writer.js';
import { deflate, findDeflater, HEADER_BYTES, headerOf, readDeflater, writeDeflater } from './deflaters.js';
import type { Format } from './format.js';
import { isByteImage } from './media.js';
import { readChunkSizes, writeChunkSizes } from './png-chunk-sizes.js';
import { readPng, USUAL_END, writePng } from './png-file.js';
import { readFilters, writeFilters } from './png-filter-list.js';
import { applyFilters, unfilter, type Rows } from './png-filters.js';
import { joinPixels, pixelBytesOf, splitPixels, type PixelFormat } from './png-pixels.js';

/** Colour types without a palette; their places stand in the rest, below the flags. */
const COLOR_TYPES = [0, 2, 4, 6];
/** What the rest holds that most files don't have. */
const FLAG = { alpha: 4, streamHeader: 8, before: 16, after: 32 } as const;
const ALL_FLAGS = COLOR_TYPES.length + FLAG.alpha + FLAG.streamHeader + FLAG.before + FLAG.after - 1;

/**
 * A PNG file of 8 bits a channel, neither interlaced nor with a palette, whose zlib stream one of the known compressors makes again. The rest: width,
 * height, flags, alpha, the rows' filters, the compressor, the header of its stream, the sizes of the IDAT chunks, and the chunks before and
 * after them.
 */
export const pngFormat: Format = {
  kind: 'png',
  fits: (model) => isByteImage(model, 1) || isByteImage(model, 3),
  take(bytes, { shape: [, , channels] }) {
    const png = readPng(bytes);
    if (!png || !COLOR_TYPES.includes(png.colorType)) return undefined;
    const { width, height, stream, chunkSizes, before, after } = png;
    const format = formatOf(png.colorType);
    const rows = rowsOf(width, height, format);
    const filtered = inflate(stream, height * (1 + rows.rowBytes));
    const unfiltered = filtered && unfilter(filtered, rows);
    const planes = unfiltered && splitPixels(unfiltered.pixels, format, channels);
    if (!planes) return undefined;
    const deflater = findDeflater(stream, filtered);
    if (!deflater) return undefined;
    const { values, alpha } = planes;
    const header = stream.subarray(0, HEADER_BYTES);
    const hasOwnHeader = Buffer.compare(header, headerOf(deflater)) !== 0;
    const hasUsualEnd = Buffer.compare(after, USUAL_END) === 0;
    const flags =
      (alpha ? FLAG.alpha : 0) +
      (hasOwnHeader ? FLAG.streamHeader : 0) +
      (before.length > 0 ? FLAG.before : 0) +
      (hasUsualEnd ? 0 : FLAG.after);
    const rest = new ByteWriter().number(width).number(height);
    rest.number(COLOR_TYPES.indexOf(png.colorType) + flags);
    if (alpha) rest.bytes(alpha);
    writeFilters(rest, unfiltered.filters, unfiltered.pixels, rows);
    writeDeflater(rest, deflater);
    if (hasOwnHeader) rest.bytes(header);
    writeChunkSizes(rest, chunkSizes);
    if (before.length > 0) rest.sized(before);
    if (!hasUsualEnd) rest.bytes(after);
    return { images: { count: 1, height, width }, values, rest };
  },
  put(rest, { shape: [, , channels] }, join) {
    const [width, height] = [rest.number('a width'), rest.number('a height')];
    const flags = rest.number('flags', ALL_FLAGS);
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const colorType = COLOR_TYPES[flags % COLOR_TYPES.length]!;
    const format = formatOf(colorType);
    if (format.colors < channels) throw rest.error('is of a grey image, and the model of colours');
    const rows = rowsOf(width, height, format);
    const values = join({ count: 1, height, width }) as Uint8Array;
    const alpha = has(FLAG.alpha) ? rest.bytes(width * height) : undefined;
    const pixels = joinPixels({ values, alpha }, format, channels);
    const filtered = applyFilters(pixels, readFilters(rest, pixels, rows), rows);
    const stream = deflate(readDeflater(rest), filtered);
    if (has(FLAG.streamHeader)) stream.set(rest.bytes(HEADER_BYTES));
    const chunkSizes = readChunkSizes(rest, stream.length);
    const before = has(FLAG.before) ? rest.sized('chunks before the pixels') : new Uint8Array();
    const after = has(FLAG.after) ? rest.bytes(rest.left) : USUAL_END;
    return writePng({ width, height, colorType, before, stream, chunkSizes, after });
  },
};

function formatOf(colorType: number): PixelFormat {
  return { colors: (colorType & 2) === 0 ? 1 : 3, hasAlpha: (colorType & 4) !== 0 };
}

function rowsOf(width: number, height: number, format: PixelFormat): Rows {
  const pixelBytes = pixelBytesOf(format);
  return { numRows: height, rowBytes: width * pixelBytes, pixelBytes };
}

/** Undefined where a zlib stream is damaged or holds another number of bytes. */
function inflate(stream: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const bytes = inflateSync(stream, { maxOutputLength: length });
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
