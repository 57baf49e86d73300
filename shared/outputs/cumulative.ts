/**
 * The distribution of a variable over the classes that it may get next, in an order of its own, as shares of the mass. Made of float32 network
 * outputs by + - * and / of float64 alone (`shared/exact-math.ts`): outputs of the same bits give the same shares on every machine
 * and JavaScript engine. It holds until the same output is asked for another one.
 */
export interface Cumulative {
  /** Classes that the variable may get, at least one. */
  readonly count: number;
  /** Share of the first n of them, n = 0..count: 0 at 0, 1 at count, and it never falls. A class may have none. */
  at(n: number): number;
  /** The n-th class, n = 0..count-1. */
  classOf(n: number): number;
  /** Which of them a class is. */
  indexOf(x: number): number;
}

/** Which of the classes u lies in, 0 <= u < 1: uniform numbers give each as often as its share is, and those without one never. */
export function quantile({ count, at }: Cumulative, u: number): number {
  return lastWhere(count, (n) => at(n) <= u);
}

/** The last n below `count` at which something holds that holds at 0 and, from where it no longer does, never again. */
export function lastWhere(count: number, holds: (n: number) => boolean): number {
  let [low, high] = [0, count];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
