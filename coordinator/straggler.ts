/** Steps of which the lengths are remembered. */
const NUM_RECENT = 32;
/** Fewer tell nothing of what is usual. */
const NUM_NEEDED = 8;
/** Median absolute deviations above the median: as far as four standard deviations of a normal distribution. */
const NUM_DEVIATIONS = 6;

/** Lengths of the last steps, and from them how long is too long. All times in milliseconds. */
export class StepLengths {
  readonly #recent: number[] = [];

  add(milliseconds: number): void {
    this.#recent.push(milliseconds);
    if (this.#recent.length > NUM_RECENT) this.#recent.shift();
  }

  /**
   * After how long a worker that still owes slices is a straggler: median + 6 MAD of the last 32 steps, at least two medians and `least`, at
   * most `most`; `most` itself before 8 steps were taken.
   */
  deadline(least: number, most: number): number {
    if (this.#recent.length < NUM_NEEDED) return most;
    const median = medianOf(this.#recent);
    const deviation = medianOf(this.#recent.map((value) => Math.abs(value - median)));
    return Math.min(most, Math.max(least, 2 * median, median + NUM_DEVIATIONS * deviation));
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
