import { crc32 } from 'node:zlib';

/** A run of elements of a flat array that travels as one message. */
export interface Bucket {
  /** First element. */
  readonly offset: number;
  /** Number of elements. */
  readonly length: number;
}

/** Cuts `numElements` values, float32 unless they are of another size, into buckets of at most `bucketBytes`. */
export function bucketsOf(numElements: number, bucketBytes: number, elementBytes = 4): Bucket[] {
  const size = Math.max(1, Math.floor(bucketBytes / elementBytes));
  const buckets: Bucket[] = [];
  for (let offset = 0; offset < numElements; offset += size) {
    buckets.push({ offset, length: Math.min(size, numElements - offset) });
  }
  return buckets;
}

/** The bytes of a bucket of `values`, without copying. */
export function bucketBytes(values: Float32Array | Float64Array, { offset, length }: Bucket): Uint8Array {
  const { buffer, byteOffset, BYTES_PER_ELEMENT: size } = values;
  return new Uint8Array(buffer, byteOffset + offset * size, length * size);
}

/** CRC-32 of the bytes, as it stands in message headers. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}
