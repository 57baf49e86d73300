import { crc32 } from 'node:zlib';
import { bucketBytes, bucketsOf, type Bucket } from '../shared/exchange/buckets.js';
import { gradientIn } from '../shared/exchange/gradient-buffer.js';
import { kernelsOn } from '../shared/optimizer/kernels.js';
import { NORM_BLOCK, type Replica } from '../shared/optimizer/replica.js';
import type { Update } from '../shared/optimizer/update.js';

/** Gradients that are still to be added, as pairs of a tree. */
export type Terms = SharedArrayBuffer | readonly [Terms, Terms];

/** Elements that are added at a time: as many as stay in the processor's nearest caches. */
const PIECE = 16_384;
const PIECE_BYTES = 4 * PIECE;
/** Terms that wait for their sibling at a time: one a level of the tree. */
const MAX_DEPTH = 31;

/** What comes of adding, each where its block or bucket is. */
export interface Found {
  /** Sum of squares of each `NORM_BLOCK`. */
  readonly squares: Float64Array;
  /** Of each bucket, as it stands in message headers. */
  readonly checksums: Uint32Array;
}

/** Blocks [begin, end) of the gradient. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Adds gradients into a replica's, piece by piece, so that everything that is done with an element is done while it is at hand. */
export class Reduction {
  readonly #replica: Replica;
  readonly #buckets: readonly Bucket[];
  readonly #memory = new WebAssembly.Memory({ initial: MAX_DEPTH + 1, maximum: MAX_DEPTH + 1, shared: true });
  readonly #kernels = kernelsOn(this.#memory);

  constructor(replica: Replica, bucketSize: number) {
    this.#replica = replica;
    this.#buckets = bucketsOf(replica.gradient.length, bucketSize);
  }

  /** What `reduce` fills, in memory that threads share. */
  static found(numParameters: number, bucketSize: number): Found {
    const shared = (numBytes: number) => new SharedArrayBuffer(numBytes);
    return {
      squares: new Float64Array(shared(8 * Math.ceil(numParameters / NORM_BLOCK))),
      checksums: new Uint32Array(shared(4 * bucketsOf(numParameters, bucketSize).length)),
    };
  }

  /** Adds the terms, in float32 and in the tree's order, into the gradient, and copies the sum to `copy`. */
  reduce(
    terms: Terms,
    copy: SharedArrayBuffer | undefined,
    { begin, end }: Range,
    { squares, checksums }: Found,
  ): void {
    const { gradient } = this.#replica;
    const into = copy && gradientIn(copy, gradient.length);
    const last = Math.min(end * NORM_BLOCK, gradient.length);
    let nth = this.#buckets.findIndex(({ offset, length }) => offset + length > begin * NORM_BLOCK);
    for (let block = begin; block * NORM_BLOCK < last; block++) {
      const [from, to] = [block * NORM_BLOCK, Math.min((block + 1) * NORM_BLOCK, last)];
      for (let at = from; at < to; at += PIECE) {
        const length = Math.min(PIECE, to - at);
        this.#evaluate(terms, at, length, 0);
        gradient.set(this.#slot(0, length), at);
      }
      squares[block] = this.#replica.squaresOf(block);
      into?.set(gradient.subarray(from, to), from);
      for (; nth < this.#buckets.length && this.#buckets[nth]!.offset < to; nth++) {
        const { offset, length } = this.#buckets[nth]!;
        const first = Math.max(offset, from);
        const part = bucketBytes(gradient, { offset: first, length: Math.min(offset + length, to) - first });
        checksums[nth] = crc32(part, first === offset ? 0 : checksums[nth]);
        if (offset + length > to) break;
      }
    }
  }

  /** One optimizer step of a range. */
  apply(update: Update, { begin, end }: Range): void {
    this.#replica.apply(update, begin * NORM_BLOCK, end * NORM_BLOCK);
  }

  #evaluate(terms: Terms, at: number, length: number, depth: number): void {
    if (terms instanceof SharedArrayBuffer)
      return this.#slot(depth, length).set(new Float32Array(terms, 4 * at, length));
    const [left, right] = terms;
    this.#evaluate(left, at, length, depth);
    this.#evaluate(right, at, length, depth + 1);
    this.#kernels.add(depth * PIECE_BYTES, (depth + 1) * PIECE_BYTES, 16 * Math.ceil(length / 4));
  }

  #slot(depth: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, depth * PIECE_BYTES, length);
  }
}

/** Cuts the gradient into at most so many ranges, none of which cuts a block or a bucket. */
export function rangesOf(numParameters: number, bucketSize: number, count: number): Range[] {
  const numBlocks = Math.ceil(numParameters / NORM_BLOCK);
  const [first] = bucketsOf(numParameters, bucketSize);
  if (first!.length % NORM_BLOCK !== 0) return [{ begin: 0, end: numBlocks }];
  const blocksABucket = first!.length / NORM_BLOCK;
  const numBuckets = Math.ceil(numBlocks / blocksABucket);
  const cut = (nth: number) => Math.min(numBlocks, Math.floor((nth * numBuckets) / count) * blocksABucket);
  return Array.from({ length: count }, (_, nth) => ({ begin: cut(nth), end: cut(nth + 1) })).filter(
    ({ begin, end }) => begin < end,
  );
}
