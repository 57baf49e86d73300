import { bucketBytes } from '../buckets.js';
import { evenBuckets, firstNonfinite, type Codec, type EncodedBucket } from './codec.js';

/** The values as they are. */
export class Float32Codec implements Codec {
  readonly format = 'float32';
  readonly buckets: readonly EncodedBucket[];

  constructor(numElements: number, bucketElements: number) {
    this.buckets = evenBuckets(numElements, bucketElements, 1, (length) => 4 * length);
  }

  encode({ length }: EncodedBucket, values: Float32Array, into: Uint8Array): number | undefined {
    into.set(bucketBytes(values, { offset: 0, length }));
    const first = firstNonfinite(values);
    return first < 0 ? undefined : first;
  }

  decode({ length }: EncodedBucket, bytes: Uint8Array, into: Float32Array): undefined {
    bucketBytes(into, { offset: 0, length }).set(bytes);
  }
}
