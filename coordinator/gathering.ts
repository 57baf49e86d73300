import { bucketBytes, bucketsOf, checksum, type Bucket } from '../shared/exchange/buckets.js';
import { readStatistics, type Statistics } from '../shared/exchange/statistics.js';
import type { TreeNode } from '../shared/exchange/tree.js';
import type { ModelDescription } from '../shared/model/description.js';

/** A subtree's sum, complete, with the statistics of its examples. */
export interface Gathered {
  readonly node: TreeNode;
  readonly buffer: SharedArrayBuffer;
  readonly statistics: Statistics;
}

interface Partial {
  readonly node: TreeNode;
  readonly buffer: SharedArrayBuffer;
  readonly missing: Set<number>;
  statistics: Statistics | undefined;
}

/** The part of a gradient header that this file reads. */
export interface BucketHeader extends Bucket {
  readonly level: number;
  readonly index: number;
  readonly crc: number;
}

/** Puts the buckets that one member sends of its subtrees' sums back together. Refusals come back as the reason. */
export class Gathering {
  readonly #buckets: ReadonlyMap<number, Bucket>;
  readonly #numSteps: number;
  readonly #sliceSize: number;
  readonly #take: () => SharedArrayBuffer;
  readonly #partials = new Map<string, Partial>();

  constructor(
    { numParameters, numSteps }: Pick<ModelDescription, 'numParameters' | 'numSteps'>,
    bucketSize: number,
    sliceSize: number,
    take: () => SharedArrayBuffer,
  ) {
    this.#numSteps = numSteps;
    this.#buckets = new Map(bucketsOf(numParameters, bucketSize).map((bucket) => [bucket.offset, bucket]));
    this.#sliceSize = sliceSize;
    this.#take = take;
  }

  bucket(header: BucketHeader, bytes: Uint8Array | undefined): Gathered | string | undefined {
    const bucket = this.#buckets.get(header.offset);
    if (!bucket || bucket.length !== header.length)
      return `no bucket of ${header.length} values at ${header.offset}`;
    if (bytes?.byteLength !== bucket.length * 4) return `a bucket of ${bytes?.byteLength ?? 0} bytes`;
    if (checksum(bytes) !== header.crc) return 'a bucket whose checksum is wrong';
    const partial = this.#partial(header);
    if (!partial.missing.delete(bucket.offset)) return 'a bucket twice';
    bucketBytes(new Float32Array(partial.buffer), bucket).set(bytes);
    return this.#complete(partial);
  }

  examples(node: TreeNode, frames: readonly Uint8Array[]): Gathered | string | undefined {
    const statistics = readStatistics(frames, this.#sliceSize << node.level);
    if (!statistics) return 'statistics of another number of examples';
    const { timeSteps, logLikelihoods } = statistics;
    if (!timeSteps.every((step) => step >= 0 && step < this.#numSteps))
      return `a time step that is not one of ${this.#numSteps}`;
    if (!logLikelihoods.every(Number.isFinite)) return 'a log-likelihood that is not finite';
    const partial = this.#partial(node);
    if (partial.statistics) return 'statistics twice';
    partial.statistics = statistics;
    return this.#complete(partial);
  }

  /** Forgets what is incomplete and returns its buffers. */
  drain(): SharedArrayBuffer[] {
    const buffers = [...this.#partials.values()].map(({ buffer }) => buffer);
    this.#partials.clear();
    return buffers;
  }

  #partial({ level, index }: TreeNode): Partial {
    const key = `${level}/${index}`;
    let partial = this.#partials.get(key);
    if (!partial) {
      partial = {
        node: { level, index },
        buffer: this.#take(),
        missing: new Set(this.#buckets.keys()),
        statistics: undefined,
      };
      this.#partials.set(key, partial);
    }
    return partial;
  }

  #complete({ node, buffer, missing, statistics }: Partial): Gathered | undefined {
    if (missing.size > 0 || !statistics) return undefined;
    this.#partials.delete(`${node.level}/${node.index}`);
    return { node, buffer, statistics };
  }
}
