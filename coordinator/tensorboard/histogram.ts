/** How numbers are spread. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Upper ends of the buckets, rising to `max`. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** As many as TensorBoard draws. */
const NUM_BUCKETS = 30;

/** In equal buckets from the least to the greatest; of equal numbers there is one. Numbers that are not finite are left out; undefined of none. */
export function histogramOf(values: Float32Array): Histogram | undefined {
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    count++;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return undefined;
  const numBuckets = min === max ? 1 : NUM_BUCKETS;
  const width = (max - min) / numBuckets;
  const counts = new Array<number>(numBuckets).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[min === max ? 0 : Math.min(numBuckets - 1, Math.floor((value - min) / width))]!++;
  }
  const limits = counts.map((_, i) => (i === numBuckets - 1 ? max : min + (i + 1) * width));
  return { min, max, count, sum, sumOfSquares, limits, counts };
}
