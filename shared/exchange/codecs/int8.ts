import { evenBuckets, firstNonfinite, type Codec, type EncodedBucket } from './codec.js';
import { BLOCK, MAX_EXPONENT, int8Kernels } from './int8-kernels.js';
import { CHUNK } from './scratch.js';

const INFINITE = 0x7f800000;

const numBlocks = (length: number) => Math.ceil(length / BLOCK);

let shared: ReturnType<typeof int8Kernels> | undefined;

/**
 * Whole multiples, -127 to 127, of a power of two that each 64 values share (as the MX formats of the Open Compute Project do): a byte a value, and one
 * a block. Scales are exact, so what was decoded is encoded without loss. With a draw, values between two multiples go to either with the
 * chance that makes their mean right.
 *
 * Bytes: the blocks' exponents plus 126, then the multiples.
 */
export class Int8Codec implements Codec {
  readonly format = `int8 in blocks of ${BLOCK}`;
  readonly buckets: readonly EncodedBucket[];

  constructor(numElements: number, bucketElements: number) {
    const bytesOf = (length: number) => numBlocks(length) + length;
    this.buckets = evenBuckets(numElements, bucketElements, BLOCK, bytesOf);
  }

  encode(
    { offset, length }: EncodedBucket,
    values: Float32Array,
    into: Uint8Array,
    draw?: number,
  ): number | undefined {
    const scratch = (shared ??= int8Kernels());
    for (let begin = 0; begin < length; begin += CHUNK) {
      const chunk = values.subarray(begin, begin + CHUNK);
      const blocks = numBlocks(chunk.length);
      scratch.values.set(chunk);
      scratch.values.fill(0, chunk.length, BLOCK * blocks);
      if (scratch.encode(blocks, draw, offset + begin) >= INFINITE) return begin + firstNonfinite(chunk);
      into.set(scratch.exponents.subarray(0, blocks), begin / BLOCK);
      into.set(scratch.codes.subarray(0, chunk.length), numBlocks(length) + begin);
    }
    return undefined;
  }

  decode({ length }: EncodedBucket, bytes: Uint8Array, into: Float32Array): string | undefined {
    const scratch = (shared ??= int8Kernels());
    const exponents = bytes.subarray(0, numBlocks(length));
    const codes = bytes.subarray(exponents.length);
    if (!exponents.every((exponent) => exponent <= MAX_EXPONENT)) return 'a scale that is none';
    for (let begin = 0; begin < length; begin += CHUNK) {
      const count = Math.min(CHUNK, length - begin);
      const blocks = numBlocks(count);
      scratch.exponents.set(exponents.subarray(begin / BLOCK, begin / BLOCK + blocks));
      scratch.codes.set(codes.subarray(begin, begin + count));
      scratch.decode(blocks);
      into.set(scratch.values.subarray(0, count), begin);
    }
    return undefined;
  }
}
