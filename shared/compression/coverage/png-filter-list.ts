import type { ByteReader } from '../byte-reader.js';
import type { ByteWriter } from '../byte-writer.js';
import { leastSumFilters, NUM_FILTERS, type Rows } from './png-filters.js';

/** Below: the filter of all rows. */
const FORM = { leastSum: NUM_FILTERS, list: NUM_FILTERS + 1 } as const;

/** Writes the filter of each row of an image. */
export function writeFilters(writer: ByteWriter, filters: Uint8Array, pixels: Uint8Array, rows: Rows): void {
  if (filters.every((filter) => filter === filters[0])) writer.number(filters[0]!);
  else if (Buffer.compare(filters, leastSumFilters(pixels, rows)) === 0) writer.number(FORM.leastSum);
  else writer.number(FORM.list).bytes(filters);
}

/** @throws CompressionError */
export function readFilters(reader: ByteReader, pixels: Uint8Array, rows: Rows): Uint8Array {
  const form = reader.number('filters', FORM.list);
  if (form === FORM.leastSum) return leastSumFilters(pixels, rows);
  if (form < NUM_FILTERS) return new Uint8Array(rows.numRows).fill(form);
  const filters = reader.bytes(rows.numRows);
  if (filters.some((filter) => filter >= NUM_FILTERS))
    throw reader.error('has a filter that PNG does not know');
  return filters;
}
