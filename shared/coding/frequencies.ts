import { lastWhere, type Cumulative } from '../outputs/cumulative.js';
import { TOTAL } from './format.js';

/** The part of 0..TOTAL-1 that stands for a class. */
export interface Interval {
  readonly start: number;
  /** At least 1. */
  readonly frequency: number;
}

/**
 * The interval of the n-th class of a distribution. With F(n) = n + floor((TOTAL - count) P(first n)) it begins at F(n) and ends at F(n + 1): as P
 * never falls, each class has at least 1. That floor costs -log2(1 - count / TOTAL) bits a variable: 0.00002 for 256 classes, 0.0056
 * for 65,536.
 */
export function intervalOf(cumulative: Cumulative, n: number): Interval {
  const start = startOf(cumulative, n);
  return { start, frequency: startOf(cumulative, n + 1) - start };
}

/** Which class of a distribution has a number of 0..TOTAL-1 in its interval. */
export function classAtSlot(cumulative: Cumulative, slot: number): number {
  return lastWhere(cumulative.count, (n) => startOf(cumulative, n) <= slot);
}

function startOf({ count, at }: Cumulative, n: number): number {
  return n + Math.floor(at(n) * (TOTAL - count));
}
