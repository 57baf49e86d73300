import { bf16Kernels } from './bf16-kernels.js';
import { evenBuckets, type Codec, type EncodedBucket } from './codec.js';
import { CHUNK } from './scratch.js';

/** From these bits on a magnitude is infinite as bfloat16: half-way from the largest of all, 3.39e38, to the next. */
const INFINITE = 0x7f7f8000;

let shared: ReturnType<typeof bf16Kernels> | undefined;

/** The upper half of each float32, rounded to the nearest, ties to even: 2 bytes, 8 bits of precision, the same range. */
export class Bf16Codec implements Codec {
  readonly format = 'bf16';
  readonly buckets: readonly EncodedBucket[];

  constructor(numElements: number, bucketElements: number) {
    this.buckets = evenBuckets(numElements, bucketElements, 1, (length) => 2 * length);
  }

  encode({ length }: EncodedBucket, values: Float32Array, into: Uint8Array): number | undefined {
    const scratch = (shared ??= bf16Kernels());
    for (let begin = 0; begin < length; begin += CHUNK) {
      const chunk = values.subarray(begin, begin + CHUNK);
      scratch.values.set(chunk);
      scratch.values.fill(0, chunk.length, chunk.length + 7);
      if (scratch.encode(chunk.length) >= INFINITE)
        return begin + chunk.findIndex((value) => !(bitsOf(value) < INFINITE));
      into.set(scratch.codes.subarray(0, 2 * chunk.length), 2 * begin);
    }
    return undefined;
  }

  decode({ length }: EncodedBucket, bytes: Uint8Array, into: Float32Array): undefined {
    const scratch = (shared ??= bf16Kernels());
    for (let begin = 0; begin < length; begin += CHUNK) {
      const codes = bytes.subarray(2 * begin, 2 * (begin + CHUNK));
      scratch.codes.set(codes);
      scratch.decode(codes.length / 2);
      into.set(scratch.values.subarray(0, codes.length / 2), begin);
    }
  }
}

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** The bits of a float32's magnitude. */
function bitsOf(value: number): number {
  word[0] = value;
  return bits[0]! & 0x7fffffff;
}
