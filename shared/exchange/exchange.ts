import type { CodecConfig, Config } from '../config/schema.js';
import { addInto } from '../optimizer/sum.js';
import { PURPOSE, stream } from '../random/philox.js';
import { checksum, type Bucket } from './buckets.js';
import type { EncodedBucket } from './codecs/codec.js';
import { createCodec } from './codecs/create.js';
import type { Tensor } from './codecs/power-sgd.js';
import type { TreeNode } from './tree.js';

/** A bucket, and where its bytes lie among those of all buckets. */
export interface PackedBucket extends EncodedBucket {
  readonly begin: number;
}

/** What an encoded sum came to. */
export type Encoded =
  | { readonly checksums: number[] }
  /** The parameters of the bucket's first value that is not finite, in words. */
  | { readonly nonfinite: string };

/** What decides how gradients travel; may be sent to another thread. */
export interface ExchangeOptions {
  readonly codec: CodecConfig;
  readonly seed: number;
  readonly parameters: readonly Tensor[];
  readonly bucketBytes: number;
}

/** Of a run. */
export function exchangeOptions(
  { exchange, seed, workers }: Config,
  { parameters }: { readonly parameters: readonly Tensor[] },
): ExchangeOptions {
  return { codec: exchange.codec, seed, parameters, bucketBytes: workers.bucketBytes };
}

/**
 * How the gradients of a run travel. `bf16` and `int8` with dither are number formats of the tree over the slices: every node's sum is rounded to them, so that
 * encoding loses nothing, and where a sum was made changes no bit. The others encode with error feedback: what a sender's bytes lack is its residual,
 * which it adds to what it sends next.
 */
export class Exchange {
  /** Names the format: peers must agree on it. */
  readonly format: string;
  readonly buckets: readonly PackedBucket[];
  /** Whether sums travel, and are added, as they are. */
  readonly isLossless: boolean;
  /** Whether senders keep residuals, float32, one a parameter. */
  readonly keepsResiduals: boolean;
  readonly #codec;
  readonly #seed: number;
  readonly #rounds: boolean;
  readonly #isDithered: boolean;
  /** Whether encoding begins with a draw. */
  readonly #draws: boolean;
  readonly #byOffset: ReadonlyMap<number, PackedBucket>;
  readonly #scratch: Uint8Array;

  constructor({ codec: config, seed, parameters, bucketBytes }: ExchangeOptions) {
    this.#codec = createCodec(config, parameters, bucketBytes);
    this.#seed = seed;
    this.#isDithered = config.kind === 'int8' && config.rounding === 'dither';
    this.#rounds = config.kind === 'bf16' || this.#isDithered;
    this.#draws = config.kind === 'power-sgd';
    this.isLossless = config.kind === 'float32';
    this.keepsResiduals = !this.isLossless && !this.#rounds;
    this.format = `${this.#codec.format}${this.#isDithered ? ', dithered' : ''}`;
    let begin = 0;
    this.buckets = this.#codec.buckets.map((bucket) => {
      begin += bucket.bytes;
      return { ...bucket, begin: begin - bucket.bytes };
    });
    this.#byOffset = new Map(this.buckets.map((bucket) => [bucket.offset, bucket]));
    this.#scratch = new Uint8Array(Math.max(0, ...this.buckets.map(({ bytes }) => bytes)));
  }

  /** Bytes of a whole sum. */
  get bytes(): number {
    return this.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The bucket of just these values. */
  bucketAt({ offset, length }: Bucket): PackedBucket | undefined {
    const bucket = this.#byOffset.get(offset);
    return bucket?.length === length ? bucket : undefined;
  }

  /** Makes a slice's gradient, or the sum at a node, what can travel. What is not finite stays so. */
  round(values: Float32Array, step: number, node: TreeNode): void {
    if (!this.#rounds) return;
    const draw = this.#isDithered ? this.#draw(step, node) : undefined;
    for (const bucket of this.buckets) {
      const own = valuesOf(values, bucket);
      const bytes = this.#scratch.subarray(0, bucket.bytes);
      if (this.#codec.encode(bucket, own, bytes, draw) === undefined) this.#codec.decode(bucket, bytes, own);
    }
  }

  /** Adds the right child of a node to its left one. */
  merge(left: Float32Array, right: Float32Array, step: number, parent: TreeNode): void {
    addInto(left, right);
    this.round(left, step, parent);
  }

  /**
   * Encodes a sum, bucket after bucket.
   *
   * @param values the sum; afterwards what its receivers decode
   * @param into the memory of `values`, or that they were copied from; takes the packed bytes
   * @param residual what was lacking before, which is added; `next` becomes what is lacking now, and may be the same array
   */
  encode(
    values: Float32Array,
    into: Uint8Array,
    step: number,
    node: TreeNode,
    residuals?: { readonly residual: Float32Array; readonly next: Float32Array },
  ): Encoded {
    const checksums: number[] = [];
    if (this.isLossless) {
      for (const { begin, bytes } of this.buckets)
        checksums.push(checksum(into.subarray(begin, begin + bytes)));
      return { checksums };
    }
    for (const bucket of this.buckets) {
      const own = valuesOf(values, bucket);
      const bytes = this.#scratch.subarray(0, bucket.bytes);
      if (residuals) addInto(own, valuesOf(residuals.residual, bucket));
      const draw = this.#draws ? this.#draw(step, node) : undefined;
      const first = this.#codec.encode(bucket, own, bytes, draw);
      if (first !== undefined) return { nonfinite: describe(bucket) };
      if (residuals && !this.#keep(bucket, own, bytes, valuesOf(residuals.next, bucket)))
        return { nonfinite: describe(bucket) };
      into.set(bytes, bucket.begin);
      checksums.push(checksum(bytes));
    }
    return { checksums };
  }

  /** Encodes a sum in its own memory: see `encode`. */
  encodeShared(
    sum: SharedArrayBuffer,
    step: number,
    node: TreeNode,
    residuals?: { readonly residual: SharedArrayBuffer; readonly next: SharedArrayBuffer },
  ): Encoded {
    const lacking = residuals && {
      residual: new Float32Array(residuals.residual),
      next: new Float32Array(residuals.next),
    };
    return this.encode(new Float32Array(sum), new Uint8Array(sum), step, node, lacking);
  }

  /**
   * Decodes a bucket.
   *
   * @param into of all parameters
   * @returns what is wrong with the bytes; undefined: nothing
   */
  decode(bucket: PackedBucket, bytes: Uint8Array, into: Float32Array): string | undefined {
    if (bytes.byteLength !== bucket.bytes) return `a bucket of ${bytes.byteLength} bytes`;
    return this.#codec.decode(bucket, bytes, valuesOf(into, bucket));
  }

  /** Leaves in `own` what the bytes say, and in `next` what they lack. False where that is not finite. */
  #keep(bucket: EncodedBucket, own: Float32Array, bytes: Uint8Array, next: Float32Array): boolean {
    next.set(own);
    this.#codec.decode(bucket, bytes, own);
    let sum = 0;
    for (let i = 0; i < own.length; i++) sum += (next[i]! -= own[i]!) * 0;
    return sum === 0;
  }

  #draw(step: number, { level, index }: TreeNode): number {
    return stream(this.#seed, PURPOSE.exchange, step, (level << 20) | index).uint32();
  }
}

const valuesOf = (values: Float32Array, { offset, length }: EncodedBucket) =>
  values.subarray(offset, offset + length);

const describe = ({ offset, length }: EncodedBucket) => `parameters ${offset} to ${offset + length - 1}`;
