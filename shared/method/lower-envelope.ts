/**
 * The dynamic programme over the steps at which the network is called (section 3.2), one row at a time. Row k holds for each
 * t the least cost of generating the steps before t with k calls; a call at step s, generating up to t, costs (t - s) L_s:
 *
 *   C_k(t) = min over s < t of C_{k-1}(s) + (t - s) L_s
 *
 * Each s is a line in t. The L decrease, so the lines come in the order of their slopes, and those that are least somewhere form
 * a queue whose head only moves on as t grows: O(D) a row.
 */
export class LowerEnvelope {
  readonly #slopes: Float64Array;
  #row: Float64Array;
  #next: Float64Array;
  readonly #intercepts: Float64Array;
  readonly #queue: Int32Array;
  /** Of each line in the queue but the head: the t from which on it is below the line before. */
  readonly #crossings: Float64Array;
  /** The s at the minimum, the first of equals, for each t of the last row. */
  readonly from: Int32Array;

  /** `components`: L_t, in decreasing order. */
  constructor(components: Float64Array) {
    const numSteps = components.length;
    this.#slopes = components;
    this.#row = new Float64Array(numSteps + 1);
    this.#next = new Float64Array(numSteps + 1);
    this.#intercepts = new Float64Array(numSteps);
    this.#queue = new Int32Array(numSteps);
    this.#crossings = new Float64Array(numSteps);
    this.from = new Int32Array(numSteps + 1);
  }

  /** The row of a single call, made at step `begin`, for each t from begin + 1 to `end`. */
  start(begin: number, end: number): void {
    for (let t = begin + 1; t <= end; t++) this.#row[t] = (t - begin) * this.#slopes[begin]!;
    this.from.fill(begin, begin + 1, end + 1);
  }

  /** The next row, whose last call is made at one of the steps first..last, for each t from first + 1 to last + 1. */
  advance(first: number, last: number): void {
    const row = this.#row;
    const next = this.#next;
    const slopes = this.#slopes;
    const intercepts = this.#intercepts;
    const queue = this.#queue;
    const crossings = this.#crossings;
    let head = 0;
    let tail = -1;
    for (let s = first; s <= last; s++) {
      const slope = slopes[s]!;
      const intercept = row[s]! - s * slope;
      intercepts[s] = intercept;
      // A parallel to the last line that isn't below it is never the first of the least.
      if (s === first || slope < slopes[queue[tail]!]! || intercept < intercepts[queue[tail]!]!) {
        let crossing = -Infinity;
        while (tail >= head) {
          const before = queue[tail]!;
          crossing = (intercept - intercepts[before]!) / (slopes[before]! - slope);
          if (crossing > crossings[tail]!) break;
          tail--;
        }
        tail++;
        queue[tail] = s;
        crossings[tail] = crossing;
      }
      const t = s + 1;
      while (head < tail && crossings[head + 1]! < t) head++;
      const least = queue[head]!;
      next[t] = row[least]! + (t - least) * slopes[least]!;
      this.from[t] = least;
    }
    this.#row = next;
    this.#next = row;
  }

  /** The last row's cost of generating the steps before t. */
  costUpTo(t: number): number {
    return this.#row[t]!;
  }
}
