import { bucketBytes } from '../buckets.js';
import { BLOCK, largestOf } from './largest.js';
import { evenBuckets, firstNonfinite, type Codec, type EncodedBucket } from './codec.js';

/** Of a kept value: its number and itself. */
const KEPT_BYTES = 6;

/**
 * The values of largest magnitude, a fixed share of each block of 65,536, exactly; the others become 0. Of equals the first are kept.
 *
 * Bytes, block after block: the numbers of those kept, ascending, as 16-bit words, then their values as float32; all values as float32 where that is shorter.
 */
export class TopKCodec implements Codec {
  readonly format: string;
  readonly buckets: readonly EncodedBucket[];
  readonly #density: number;

  /** @param density the share that is kept, rounded up */
  constructor(numElements: number, bucketElements: number, density: number) {
    this.#density = density;
    this.format = `top-k ${density}`;
    const bytesOf = (length: number) =>
      blocksOf(length).reduce((sum, block) => sum + this.#bytesOf(block.length), 0);
    this.buckets = evenBuckets(numElements, bucketElements, 1, bytesOf);
  }

  encode({ length }: EncodedBucket, values: Float32Array, into: Uint8Array): number | undefined {
    let at = 0;
    for (const { offset, length: count } of blocksOf(length)) {
      const block = values.subarray(offset, offset + count);
      const bytes = into.subarray(at, (at += this.#bytesOf(count)));
      if (!encodeBlock(block, this.#kept(count), bytes)) return offset + firstNonfinite(block);
    }
    return undefined;
  }

  decode({ length }: EncodedBucket, bytes: Uint8Array, into: Float32Array): string | undefined {
    let at = 0;
    for (const { offset, length: count } of blocksOf(length)) {
      const encoded = bytes.subarray(at, (at += this.#bytesOf(count)));
      const block = into.subarray(offset, offset + count);
      if (!decodeBlock(encoded, this.#kept(count), block)) return 'values that are not in order';
    }
    return undefined;
  }

  #kept(length: number): number {
    return Math.max(1, Math.ceil(this.#density * length));
  }

  #bytesOf(length: number): number {
    return Math.min(KEPT_BYTES * this.#kept(length), 4 * length);
  }
}

function blocksOf(length: number) {
  return evenBuckets(length, BLOCK, 1, () => 0);
}

const NUMBERS = new Uint16Array(BLOCK);
const KEPT = new Float32Array(BLOCK);
const asBytes = ({ buffer }: Uint16Array | Float32Array, length: number) =>
  new Uint8Array(buffer as ArrayBuffer, 0, length);

/** False where a value is not finite. */
function encodeBlock(block: Float32Array, count: number, into: Uint8Array): boolean {
  const largest = largestOf(block, count);
  if (!largest) return false;
  if (into.length === 4 * block.length) {
    into.set(bucketBytes(block, { offset: 0, length: block.length }));
    return true;
  }
  for (const [nth, number] of largest.entries()) {
    NUMBERS[nth] = number;
    KEPT[nth] = block[number]!;
  }
  into.set(asBytes(NUMBERS, 2 * count));
  into.set(asBytes(KEPT, 4 * count), 2 * count);
  return true;
}

/** False where the numbers do not ascend within the block. */
function decodeBlock(bytes: Uint8Array, count: number, into: Float32Array): boolean {
  if (bytes.length === 4 * into.length) {
    bucketBytes(into, { offset: 0, length: into.length }).set(bytes);
    return true;
  }
  asBytes(NUMBERS, 2 * count).set(bytes.subarray(0, 2 * count));
  asBytes(KEPT, 4 * count).set(bytes.subarray(2 * count));
  into.fill(0);
  let last = -1;
  for (let nth = 0; nth < count; nth++) {
    const number = NUMBERS[nth]!;
    if (number <= last || number >= into.length) return false;
    into[number] = KEPT[nth]!;
    last = number;
  }
  return true;
}
