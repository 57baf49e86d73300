import fc from 'fast-check';
import { TOTAL } from '../../shared/coding/format.js';
import type { Interval } from './plain-rans.js';

/** The information in symbols. */
export function bitsOf(symbols: readonly Interval[]): number {
  return symbols.reduce((bits, { frequency }) => bits + Math.log2(TOTAL / frequency), 0);
}

const anywhere = (frequency: fc.Arbitrary<number>) =>
  frequency.chain((f) => fc.integer({ min: 0, max: TOTAL - f }).map((start) => ({ start, frequency: f })));
const oneOf = (count: number) =>
  fc.nat(count - 1).map((n) => ({ start: (n * TOTAL) / count, frequency: TOTAL / count }));

/** Certain, all but certain, one of 2, 256 or 65,536 equal ones, as rare as can be, or anything. */
const symbol = fc.oneof(
  fc.constant({ start: 0, frequency: TOTAL }),
  anywhere(fc.constant(TOTAL - 1)),
  oneOf(2),
  oneOf(256),
  oneOf(65_536),
  anywhere(fc.constant(1)),
  anywhere(fc.integer({ min: 1, max: TOTAL })),
);

/** Messages of symbols of one kind or of all. */
export const messages: fc.Arbitrary<readonly Interval[]> = fc.oneof(
  fc.array(symbol, { maxLength: 200 }),
  fc.array(oneOf(256), { maxLength: 200 }),
  fc.array(anywhere(fc.integer({ min: TOTAL - 1000, max: TOTAL })), { maxLength: 200 }),
  fc.array(anywhere(fc.constant(1)), { maxLength: 40 }),
);

export const numStreams = fc.constantFrom(1 as const, 2 as const, 4 as const);

/** Frequencies of as many classes, each 1 or more, that fall roughly as 1 / (1 + rate * n). */
export function fallingFrequencies(numClasses: number, rate: number): Uint32Array {
  const weights = Array.from({ length: numClasses }, (_, n) => 1 / (1 + rate * n));
  const sum = weights.reduce((a, b) => a + b);
  const frequencies = Uint32Array.from(weights, (w) => 1 + Math.floor((w / sum) * (TOTAL - numClasses)));
  frequencies[0]! += TOTAL - frequencies.reduce((a, b) => a + b);
  return frequencies;
}

/** Where each class begins. */
export function startsOf(frequencies: Uint32Array): Uint32Array {
  let sum = 0;
  return frequencies.map((frequency) => (sum += frequency) - frequency);
}
