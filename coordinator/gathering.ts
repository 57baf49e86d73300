import { checksum, type Bucket } from '../shared/exchange/buckets.js';
import type { Exchange } from '../shared/exchange/exchange.js';
import { readStatistics, type Statistics } from '../shared/exchange/statistics.js';
import type { TreeNode } from '../shared/exchange/tree.js';
import { areFinite } from '../shared/optimizer/finite.js';

/** A subtree's sum, complete, with the statistics of its examples. */
export interface Gathered {
  readonly node: TreeNode;
  readonly buffer: SharedArrayBuffer;
  /** The buffer is its sender's, and isn't handed back. */
  readonly lent: boolean;
  readonly statistics: Statistics;
}

/** Where a sum holds a value that is none. */
export interface Nonfinite {
  readonly nonfinite: string;
}

interface Partial {
  readonly step: number;
  readonly node: TreeNode;
  buffer: SharedArrayBuffer | undefined;
  lent: boolean;
  readonly missing: Set<number>;
  statistics: Statistics | undefined;
}

/** A subtree of a step. */
export interface SubtreeHeader extends TreeNode {
  readonly step: number;
}

/** The part of a gradient header that this file reads. */
export interface BucketHeader extends Bucket, SubtreeHeader {
  readonly crc: number;
}

/** Puts the buckets that one member sends of its subtrees' sums back together. Refusals come back as the reason. */
export class Gathering {
  readonly #exchange: Exchange;
  readonly #numSteps: number;
  readonly #sliceSize: number;
  readonly #take: () => SharedArrayBuffer;
  readonly #partials = new Map<string, Partial>();
  readonly #spare: SharedArrayBuffer[] = [];

  constructor(exchange: Exchange, numSteps: number, sliceSize: number, take: () => SharedArrayBuffer) {
    this.#exchange = exchange;
    this.#numSteps = numSteps;
    this.#sliceSize = sliceSize;
    this.#take = take;
  }

  bucket(header: BucketHeader, bytes: Uint8Array | undefined): Gathered | Nonfinite | string | undefined {
    const bucket = this.#exchange.bucketAt(header);
    if (!bucket) return `no bucket of ${header.length} values at ${header.offset}`;
    if (bytes?.byteLength !== bucket.bytes) return `a bucket of ${bytes?.byteLength ?? 0} bytes`;
    if (checksum(bytes) !== header.crc) return 'a bucket whose checksum is wrong';
    const partial = this.#partial(header);
    if (!partial.missing.delete(bucket.offset)) return 'a bucket twice';
    const { offset, length } = bucket;
    partial.buffer ??= this.#spare.pop() ?? this.#take();
    const problem = this.#exchange.decode(bucket, bytes, new Float32Array(partial.buffer));
    if (problem !== undefined) return `a bucket with ${problem}`;
    if (!areFinite(new Float32Array(partial.buffer, 4 * offset, length))) {
      this.#give(partial);
      return { nonfinite: `parameters ${offset} to ${offset + length - 1}` };
    }
    return this.#complete(partial);
  }

  /** A sum that is whole in a buffer of its sender's, who has looked that it is finite. */
  sum(header: SubtreeHeader, buffer: SharedArrayBuffer): Gathered | string | undefined {
    const partial = this.#partial(header);
    if (partial.buffer) return 'a sum twice';
    partial.buffer = buffer;
    partial.lent = true;
    partial.missing.clear();
    return this.#complete(partial);
  }

  examples(header: SubtreeHeader, frames: readonly Uint8Array[]): Gathered | string | undefined {
    const statistics = readStatistics(frames, this.#sliceSize << header.level);
    if (!statistics) return 'statistics of another number of examples';
    const { timeSteps, logLikelihoods } = statistics;
    if (!timeSteps.every((step) => step >= 0 && step < this.#numSteps))
      return `a time step that is not one of ${this.#numSteps}`;
    if (!logLikelihoods.every(Number.isFinite)) return 'a log-likelihood that is not finite';
    const partial = this.#partial(header);
    if (partial.statistics) return 'statistics twice';
    partial.statistics = statistics;
    return this.#complete(partial);
  }

  /** Forgets what is incomplete and returns its buffers. */
  drain(): SharedArrayBuffer[] {
    for (const partial of this.#partials.values()) this.#give(partial);
    return this.#spare.splice(0);
  }

  /** What an earlier step left incomplete is no part of this one. */
  #partial({ step, level, index }: SubtreeHeader): Partial {
    const key = `${level}/${index}`;
    let partial = this.#partials.get(key);
    if (partial?.step !== step) {
      if (partial) this.#give(partial);
      partial = {
        step,
        node: { level, index },
        buffer: undefined,
        lent: false,
        missing: new Set(this.#exchange.buckets.map(({ offset }) => offset)),
        statistics: undefined,
      };
      this.#partials.set(key, partial);
    }
    return partial;
  }

  /** Forgets a sum. */
  #give({ node, buffer, lent }: Partial): void {
    this.#partials.delete(`${node.level}/${node.index}`);
    if (buffer && !lent) this.#spare.push(buffer);
  }

  #complete({ node, buffer, lent, missing, statistics }: Partial): Gathered | undefined {
    if (!buffer || missing.size > 0 || !statistics) return undefined;
    this.#partials.delete(`${node.level}/${node.index}`);
    return { node, buffer, lent, statistics };
  }
}
