import type { Bucket } from '../buckets.js';

/** A bucket, and how many bytes it takes when it is encoded: always the same, and never more than as float32. */
export interface EncodedBucket extends Bucket {
  readonly bytes: number;
}

/**
 * How a flat array of float32 is written for the wire. What was encoded can be decoded by whoever holds the bytes alone; the same values
 * (and the same draw) give the same bytes on every machine.
 */
export interface Codec {
  /** The format, with all that decides it: two sides that name it alike understand each other. */
  readonly format: string;
  /** They cover the array, in order. */
  readonly buckets: readonly EncodedBucket[];
  /**
   * Encodes a bucket.
   *
   * @param values the bucket's own
   * @param into `bucket.bytes` long
   * @param draw a 32-bit word of which all randomness follows; undefined: none, each value goes to the nearest
   * @returns the first value that can't be encoded because it is not finite, counted from the bucket's first; undefined: all were
   */
  encode(bucket: EncodedBucket, values: Float32Array, into: Uint8Array, draw?: number): number | undefined;
  /**
   * Decodes a bucket. What the bytes say may be no finite number.
   *
   * @returns what is wrong with the bytes, whose length is right; undefined: nothing
   */
  decode(bucket: EncodedBucket, bytes: Uint8Array, into: Float32Array): string | undefined;
}

/** The first value that is not finite, or -1. */
export function firstNonfinite(values: Float32Array): number {
  // Times zero, only what is not finite is not zero: one sum, no branch a value.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

/** Buckets of at most so many elements, each a whole number of `unit`s but for the last. */
export function evenBuckets(
  numElements: number,
  most: number,
  unit: number,
  bytesOf: (length: number) => number,
): EncodedBucket[] {
  const size = Math.max(unit, most - (most % unit));
  const buckets: EncodedBucket[] = [];
  for (let offset = 0; offset < numElements; offset += size) {
    const length = Math.min(size, numElements - offset);
    buckets.push({ offset, length, bytes: bytesOf(length) });
  }
  return buckets;
}
