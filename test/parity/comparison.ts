import assert from 'node:assert/strict';
import type { TensorNote } from './cases.js';

export type Numbers = Float32Array | Float64Array | Int32Array;

/** Of a float32 program that sums in another order than the original's float32 and float64 runs did. */
const NOISE_FACTOR = 20;
const LEAST_RELATIVE = 2e-5;
const LEAST_ABSOLUTE = 1e-6;
/** Of the tensor's norm: a sum may cancel to nothing. */
const SUM_SHARE = 1e-4;

export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

/** The L2 norm of the difference over that of the recorded numbers, and the largest difference; NaN where there is one. */
function difference(actual: Numbers, recorded: Numbers): { relative: number; absolute: number } {
  const differences = Float64Array.from(recorded, (value, i) => actual[i]! - value);
  const absolute = differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { relative: norm(differences) / norm(recorded), absolute };
}

/** The fixtures' general rule: as near as 20 times the original's own noise, in L2 or in every element, with floors. */
export function assertNear(what: string, actual: Numbers, recorded: Numbers, note?: TensorNote): void {
  assert.equal(actual.length, recorded.length, `${what}: number of elements`);
  const { rel_l2, max_abs } = note?.float32_vs_float64 ?? { rel_l2: 0, max_abs: 0 };
  const { relative, absolute } = difference(actual, recorded);
  assert.ok(
    relative <= Math.max(NOISE_FACTOR * rel_l2, LEAST_RELATIVE) ||
      absolute <= Math.max(NOISE_FACTOR * max_abs, LEAST_ABSOLUTE),
    `${what}: off by ${relative} (relative L2), ${absolute} (absolute)`,
  );
}

/** Every element within a tolerance, or within the noise where that is larger. */
export function assertWithin(
  what: string,
  actual: Numbers,
  recorded: Numbers,
  tolerance: number,
  note?: TensorNote,
): void {
  assert.equal(actual.length, recorded.length, `${what}: number of elements`);
  const { absolute } = difference(actual, recorded);
  const allowed = Math.max(tolerance, NOISE_FACTOR * (note?.float32_vs_float64?.max_abs ?? 0));
  assert.ok(absolute <= allowed, `${what}: off by ${absolute}, more than ${allowed}`);
}

/** How far a tensor's sum may be off. */
export function sumTolerance(tensor: Numbers): number {
  return Math.max(SUM_SHARE * norm(tensor), LEAST_ABSOLUTE);
}

/** Integers are the same, every one. */
export function assertSame(what: string, actual: ArrayLike<number>, recorded: ArrayLike<number>): void {
  assert.equal(actual.length, recorded.length, `${what}: number of elements`);
  for (let i = 0; i < recorded.length; i++) assert.equal(actual[i], recorded[i], `${what}: element ${i}`);
}
