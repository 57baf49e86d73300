import { crc32, deflateSync } from 'node:zlib';

export const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

export function pngChunk(name: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, crc]);
}

export interface MadeUpPng {
  readonly width: number;
  readonly height: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA. */
  readonly colorType?: number;
  readonly pixels: Uint8Array;
  /** The filter of each row, 0..4, of which the last one counts for all further rows, or how libpng chooses them. */
  readonly filters?: readonly number[] | 'least sum';
  readonly compress?: (filtered: Uint8Array) => Uint8Array;
  /** Of the IDAT chunks; the last one holds what is left. */
  readonly chunkSizes?: readonly number[];
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
  readonly depth?: number;
  readonly interlace?: number;
}

/** A PNG file as other programs may write it. */
export function writePng(png: MadeUpPng): Uint8Array {
  const { width, height, colorType = 0, chunkSizes = [], depth = 8, interlace = 0 } = png;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colorType, 0, 0, interlace], 8);
  const stream = (png.compress ?? deflateSync)(filterRows(png));
  let at = 0;
  const data = [...chunkSizes, stream.length].map((size) =>
    pngChunk('IDAT', stream.subarray(at, (at += Math.min(size, stream.length - at)))),
  );
  return Buffer.concat([
    SIGNATURE,
    pngChunk('IHDR', header),
    png.before ?? new Uint8Array(),
    ...data,
    png.after ?? pngChunk('IEND', new Uint8Array()),
  ]);
}

/** Rows after the number of their filter. */
function filterRows({ height, width, pixels, filters = [0] }: MadeUpPng): Uint8Array {
  const rowBytes = pixels.length / height;
  const pixelBytes = rowBytes / width;
  const row = (y: number, filter: number): Uint8Array => {
    const value = (x: number, up: number): number => (x < 0 || y < up ? 0 : pixels[(y - up) * rowBytes + x]!);
    const differences = Array.from({ length: rowBytes }, (_, x) => {
      const [a, b, c] = [value(x - pixelBytes, 0), value(x, 1), value(x - pixelBytes, 1)];
      const nearest = [a, b, c].toSorted((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0]!;
      return value(x, 0) - [0, a, b, Math.floor((a + b) / 2), nearest][filter]!;
    });
    return Uint8Array.from([filter, ...differences]);
  };
  const sum = (row: Uint8Array): number =>
    row.subarray(1).reduce((sum, value) => sum + Math.min(value, 256 - value), 0);
  const rows = Array.from({ length: height }, (_, y) => {
    if (filters !== 'least sum') return row(y, filters[Math.min(y, filters.length - 1)]!);
    return [0, 1, 2, 3, 4].map((filter) => row(y, filter)).toSorted((p, q) => sum(p) - sum(q))[0]!;
  });
  return Buffer.concat(rows);
}
