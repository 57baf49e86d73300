import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

type Shape = readonly [height: number, width: number, channels: number];
const FORM = { boxes: 0, runs: 1 } as const;
const MAX_NUMBER_BYTES = 5;

/**
 * Packs which variables of examples are absent; nothing takes no bytes. Where in each example all is there from its first row and column to some
 * other, as at the edge of an image or the end of a text, three numbers tell it; else runs do.
 *
 * @param absent count x size, 1 where a variable is absent
 */
export function packAbsent(absent: Uint8Array | undefined, shape: Shape): Uint8Array {
  if (!absent?.includes(1)) return new Uint8Array();
  return packBoxes(absent, shape) ?? packRuns(absent);
}

/**
 * The inverse; undefined where nothing is absent.
 *
 * @throws CompressionError
 */
export function unpackAbsent(
  packed: Uint8Array,
  count: number,
  shape: Shape,
  where: string,
): Uint8Array | undefined {
  if (packed.length === 0) return undefined;
  const reader = new ByteReader(packed, where);
  const absent = new Uint8Array(count * sizeOf(shape));
  if (reader.number('a form of what is absent', FORM.runs) === FORM.boxes)
    unpackBoxes(reader, absent, count, shape);
  else unpackRuns(reader, absent);
  return absent;
}

const sizeOf = ([height, width, channels]: Shape): number => height * width * channels;

/** Marks all of an example but the first rows and columns. */
function markOutside(example: Uint8Array, [, width, channels]: Shape, rows: number, columns: number): void {
  example.fill(1);
  for (let y = 0; y < rows; y++) example.fill(0, y * width * channels, (y * width + columns) * channels);
}

/** For each example that is not whole: how many whole ones come before, its rows and columns. Undefined where one is no box. */
function packBoxes(absent: Uint8Array, shape: Shape): Uint8Array | undefined {
  const [height, width, channels] = shape;
  const size = sizeOf(shape);
  const writer = new ByteWriter().number(FORM.boxes);
  const box = new Uint8Array(size);
  let numWhole = 0;
  for (let from = 0; from < absent.length; from += size) {
    const example = absent.subarray(from, from + size);
    if (!example.includes(1)) {
      numWhole++;
      continue;
    }
    let [rows, columns] = [0, 0];
    while (columns < width && !example[columns * channels]) columns++;
    while (rows < height && !example[rows * width * channels]) rows++;
    markOutside(box, shape, rows, columns);
    if (Buffer.compare(box, example) !== 0) return undefined;
    writer.number(numWhole).number(rows).number(columns);
    numWhole = 0;
  }
  return writer.finish();
}

function unpackBoxes(reader: ByteReader, absent: Uint8Array, count: number, shape: Shape): void {
  const size = sizeOf(shape);
  for (let i = 0; reader.left > 0; i++) {
    i += reader.number('a number of whole examples', count - 1 - i);
    const [rows, columns] = [reader.number('rows', shape[0]), reader.number('columns', shape[1])];
    markOutside(absent.subarray(i * size, (i + 1) * size), shape, rows, columns);
  }
}

/** Lengths of runs, those that are there and those that are absent in turn, packed. */
function packRuns(absent: Uint8Array): Uint8Array {
  const runs = new ByteWriter();
  for (let from = 0, value = 0; from < absent.length; value = 1 - value) {
    const next = absent.indexOf(1 - value, from);
    const end = next < 0 ? absent.length : next;
    runs.number(end - from);
    from = end;
  }
  return new ByteWriter().number(FORM.runs).bytes(brotliCompressSync(runs.finish())).finish();
}

function unpackRuns(reader: ByteReader, absent: Uint8Array): void {
  let bytes: Uint8Array;
  try {
    const maxOutputLength = absent.length + MAX_NUMBER_BYTES;
    bytes = brotliDecompressSync(reader.bytes(reader.left), { maxOutputLength });
  } catch {
    throw reader.error('has runs of what is absent that can’t be unpacked');
  }
  const runs = reader.nested(bytes, 'the list of what is absent');
  for (let from = 0, value = 0; from < absent.length; value = 1 - value) {
    const length = runs.number('a run', absent.length - from);
    absent.fill(value, from, (from += length));
  }
  runs.end();
}
