import type { Cumulative } from './cumulative.js';

/** A distribution given by the masses of its classes, up to a common factor, which change from variable to variable. */
export class MassTable {
  readonly #cumulative: { -readonly [K in keyof Cumulative]: Cumulative[K] };
  /** Of the masses up to each, itself included. */
  readonly #sums: Float64Array;
  #total = 1;

  constructor(maxCount: number, names: Pick<Cumulative, 'classOf' | 'indexOf'>) {
    const sums = new Float64Array(maxCount);
    this.#sums = sums;
    this.#cumulative = { count: 0, at: (n) => (n === 0 ? 0 : sums[n - 1]! / this.#total), ...names };
  }

  /** The distribution over `count` classes of these masses. */
  of(masses: Float64Array, count: number): Cumulative {
    const sums = this.#sums;
    let sum = 0;
    for (let n = 0; n < count; n++) sums[n] = sum += masses[n]!;
    this.#total = sum;
    this.#cumulative.count = count;
    return this.#cumulative;
  }
}
