/** The rows of an image as PNG sees them. */
export interface Rows {
  readonly numRows: number;
  /** Bytes of a row, and of a pixel. */
  readonly rowBytes: number;
  readonly pixelBytes: number;
}

/** None, left, up, their average, and Paeth's. */
export const NUM_FILTERS = 5;

/**
 * Takes off the filter of each row.
 *
 * @param filtered rows after the number of their filter
 * @returns undefined where there is no such filter
 */
export function unfilter(
  filtered: Uint8Array,
  rows: Rows,
): { pixels: Uint8Array; filters: Uint8Array } | undefined {
  const { numRows, rowBytes } = rows;
  const pixels = new Uint8Array(numRows * rowBytes);
  const filters = Uint8Array.from({ length: numRows }, (_, y) => filtered[y * (rowBytes + 1)]!);
  if (filters.some((filter) => filter >= NUM_FILTERS)) return undefined;
  filters.forEach((filter, y) => {
    const [from, begin] = [y * (rowBytes + 1) + 1, y * rowBytes];
    for (let i = 0; i < rowBytes; i++)
      pixels[begin + i] = filtered[from + i]! + predict(filter, pixels, begin, i, rows);
  });
  return { pixels, filters };
}

/** The inverse of `unfilter`. */
export function applyFilters(pixels: Uint8Array, filters: Uint8Array, rows: Rows): Uint8Array {
  const { numRows, rowBytes } = rows;
  const filtered = new Uint8Array(numRows * (rowBytes + 1));
  filters.forEach((filter, y) => {
    const [into, begin] = [y * (rowBytes + 1), y * rowBytes];
    filtered[into] = filter;
    for (let i = 0; i < rowBytes; i++)
      filtered[into + 1 + i] = pixels[begin + i]! - predict(filter, pixels, begin, i, rows);
  });
  return filtered;
}

/** The filter of each row whose differences, as signed bytes, have the least sum of absolute values; the first one of several (libpng's choice). */
export function leastSumFilters(pixels: Uint8Array, rows: Rows): Uint8Array {
  return Uint8Array.from({ length: rows.numRows }, (_, y) => {
    const begin = y * rows.rowBytes;
    let [best, least] = [0, Infinity];
    for (let filter = 0; filter < NUM_FILTERS; filter++) {
      let sum = 0;
      for (let i = 0; i < rows.rowBytes && sum < least; i++)
        sum += Math.abs(((pixels[begin + i]! - predict(filter, pixels, begin, i, rows)) << 24) >> 24);
      if (sum < least) [best, least] = [filter, sum];
    }
    return best;
  });
}

/** What a filter takes off byte i of the row that begins at `begin`. */
function predict(filter: number, pixels: Uint8Array, begin: number, i: number, rows: Rows): number {
  const { rowBytes, pixelBytes } = rows;
  const at = begin + i;
  const left = i < pixelBytes ? 0 : pixels[at - pixelBytes]!;
  const up = begin === 0 ? 0 : pixels[at - rowBytes]!;
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    default: {
      const upLeft = begin === 0 || i < pixelBytes ? 0 : pixels[at - rowBytes - pixelBytes]!;
      return paeth(left, up, upLeft);
    }
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const fromLeft = Math.abs(up - upLeft);
  const fromUp = Math.abs(left - upLeft);
  const fromUpLeft = Math.abs(left + up - 2 * upLeft);
  if (fromLeft <= fromUp && fromLeft <= fromUpLeft) return left;
  return fromUp <= fromUpLeft ? up : upLeft;
}
