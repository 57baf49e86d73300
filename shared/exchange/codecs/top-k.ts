import { bucketBytes } from '../buckets.js';
import { evenBuckets, firstNonfinite, type Codec, type EncodedBucket } from './codec.js';

/** Values among which the largest are chosen: their numbers take 16 bits. */
const BLOCK = 65_536;
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
const BITS = new Uint32Array(BLOCK);
const asBytes = ({ buffer }: Uint16Array | Float32Array, length: number) =>
  new Uint8Array(buffer as ArrayBuffer, 0, length);

/** False where a value is not finite. */
function encodeBlock(block: Float32Array, count: number, into: Uint8Array): boolean {
  const chosen = thresholdOf(block, count);
  if (!chosen) return false;
  if (into.length === 4 * block.length) {
    into.set(bucketBytes(block, { offset: 0, length: block.length }));
    return true;
  }
  const { threshold } = chosen;
  let equals = chosen.numEqual;
  let kept = 0;
  for (let i = 0; i < block.length; i++) {
    const bits = BITS[i]!;
    if (bits < threshold || (bits === threshold && equals-- <= 0)) continue;
    NUMBERS[kept] = i;
    KEPT[kept++] = block[i]!;
  }
  into.set(asBytes(NUMBERS, 2 * count));
  into.set(asBytes(KEPT, 4 * count), 2 * count);
  return true;
}

const HISTOGRAM = new Uint32Array(2048);
/** The digits of 31 bits, the highest first. */
const DIGITS = [
  { shift: 20, digit: 0x7ff },
  { shift: 9, digit: 0x7ff },
  { shift: 0, digit: 0x1ff },
];
/** First digits of what is not finite. */
const INFINITE = 0x7f8;

/**
 * The bits of the magnitude that is the `count`-th largest, found digit by digit, and how many of those that equal it are among these. Undefined where a value is not
 * finite. Leaves all magnitudes' bits in BITS.
 */
function thresholdOf(block: Float32Array, count: number) {
  const words = new Uint32Array(bucketBytes(block, { offset: 0, length: block.length }).slice().buffer);
  for (let i = 0; i < words.length; i++) BITS[i] = words[i]! & 0x7fffffff;
  let numEqual = count;
  let [threshold, known] = [0, 0];
  for (const { shift, digit } of DIGITS) {
    HISTOGRAM.fill(0);
    for (let i = 0; i < words.length; i++) {
      const bits = BITS[i]!;
      if ((bits & known) === threshold) HISTOGRAM[(bits >>> shift) & digit]!++;
    }
    if (known === 0 && HISTOGRAM.subarray(INFINITE).some(Boolean)) return undefined;
    let value = digit;
    while (HISTOGRAM[value]! < numEqual) numEqual -= HISTOGRAM[value--]!;
    threshold |= value << shift;
    known |= digit << shift;
  }
  return { threshold, numEqual };
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
