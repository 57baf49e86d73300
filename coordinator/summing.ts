import type { Exchange } from '../shared/exchange/exchange.js';
import { gradientBytes, gradientIn, stampGradient } from '../shared/exchange/gradient-buffer.js';
import { TreeSum, type TreeNode } from '../shared/exchange/tree.js';
import type { Replica } from '../shared/optimizer/replica.js';
import type { Gathered } from './gathering.js';
import type { Reducers } from './reducers.js';
import type { Terms } from './reduction.js';

/** A buffer that others see, and what marks the average in it. */
export interface Place {
  readonly place: number;
  readonly stamp: number;
}

/** The sum over all slices is in the replica's gradient. */
export interface Summed {
  /** The sum as it is published, encoded and packed. */
  readonly buffer: SharedArrayBuffer;
  /** Which of the places the buffer is; undefined: it is none. */
  readonly place: Place | undefined;
  /** Of its buckets. */
  readonly checksums: number[];
  readonly squaredNorm: number;
}

/** A sum, or what is still to be added up, and the buffers that it lies in. */
interface Sum {
  readonly terms: Terms;
  readonly buffers: readonly Buffer[];
}

type Buffer = Pick<Gathered, 'buffer' | 'lent'>;

/** 0 is none. */
const MAX_STAMP = 2 ** 31 - 1;

export interface SummingOptions {
  readonly exchange: Exchange;
  readonly replica: Replica;
  readonly reducers: Reducers;
  /** Slices of a step. */
  readonly slices: number;
  /** What the averages that were published so far lack; undefined where the exchange keeps none. */
  readonly residual: Float32Array | undefined;
  /** Where averages are put, while there is room, for others to see. */
  readonly places: readonly SharedArrayBuffer[];
  /** Takes a buffer that is no longer needed. */
  readonly free: (buffer: SharedArrayBuffer) => void;
}

/** Adds the sums of a step's subtrees as they come, along the tree whose shape is fixed by the number of slices. */
export class Summing {
  readonly #options: SummingOptions;
  readonly #root: TreeNode;
  readonly #vacant: number[];
  #tree: TreeSum<Sum>;
  #stamp = 0;

  constructor(options: SummingOptions) {
    this.#options = options;
    this.#root = { level: Math.log2(options.slices), index: 0 };
    this.#vacant = options.places.map((_, place) => place);
    this.#tree = new TreeSum([this.#root]);
  }

  /** Nobody needs the average in this place any more. */
  vacate(place: number): void {
    this.#vacant.push(place);
  }

  /** Another step begins. */
  restart(): void {
    this.#tree = new TreeSum([this.#root]);
  }

  /** Takes the sum over a subtree's slices. What is not finite is told where the step is complete. */
  put(step: number, { node, buffer, lent }: Gathered): Summed | 'not finite' | undefined {
    let next = this.#tree.put(node, { terms: buffer, buffers: [{ buffer, lent }] });
    while (next.kind === 'merge')
      next = this.#tree.put(next.parent, this.#merge(step, next.parent, next.left, next.right));
    if (next.kind === 'wait') return undefined;
    this.restart();
    return this.#options.exchange.isLossless ? this.#add(next.value) : this.#encode(step, next.value);
  }

  /** At once where that frees a buffer; what lies with others anyway is added when all of it is there, in one go. */
  #merge(step: number, parent: TreeNode, left: Sum, right: Sum): Sum {
    const { exchange } = this.#options;
    const [into, from] = [left.terms, right.terms];
    const isWhole = into instanceof SharedArrayBuffer && from instanceof SharedArrayBuffer;
    const isLent = [...left.buffers, ...right.buffers].some(({ lent }) => lent);
    if (!isWhole || isLent) return { terms: [into, from], buffers: [...left.buffers, ...right.buffers] };
    exchange.merge(new Float32Array(into), new Float32Array(from), step, parent);
    this.#free(right.buffers);
    return left;
  }

  #add({ terms, buffers }: Sum): Summed | 'not finite' {
    const { reducers, replica, places } = this.#options;
    const own = buffers.find(({ lent }) => !lent)?.buffer;
    const place = buffers.some(({ lent }) => lent) ? this.#vacant.pop() : undefined;
    const numParameters = replica.gradient.length;
    const buffer =
      place === undefined ? (own ?? new SharedArrayBuffer(gradientBytes(numParameters))) : places[place]!;
    if (place !== undefined) stampGradient(buffer, numParameters, 0);
    const { squaredNorm, checksums } = reducers.reduce(terms, buffer === terms ? undefined : buffer);
    this.#free(buffers.filter((one) => one.buffer !== buffer));
    if (!Number.isFinite(squaredNorm)) {
      if (place !== undefined) this.vacate(place);
      else this.#options.free(buffer);
      return 'not finite';
    }
    if (place === undefined) return { buffer, place, checksums, squaredNorm };
    this.#stamp = (this.#stamp % MAX_STAMP) + 1;
    stampGradient(buffer, numParameters, this.#stamp);
    return { buffer, place: { place, stamp: this.#stamp }, checksums, squaredNorm };
  }

  /** In its own memory; the gradient is what everyone decodes from it. */
  #encode(step: number, { terms, buffers }: Sum): Summed | 'not finite' {
    const { exchange, replica, residual } = this.#options;
    const buffer = terms as SharedArrayBuffer;
    const { gradient } = replica;
    gradient.set(gradientIn(buffer, gradient.length));
    const residuals = residual && { residual, next: residual };
    const encoded = exchange.encode(gradient, new Uint8Array(buffer), step, this.#root, residuals);
    const squaredNorm = replica.squaredNorm();
    if ('nonfinite' in encoded || !Number.isFinite(squaredNorm)) {
      this.#free(buffers);
      return 'not finite';
    }
    return { buffer, place: undefined, checksums: encoded.checksums, squaredNorm };
  }

  #free(buffers: readonly Buffer[]): void {
    for (const { buffer, lent } of buffers) if (!lent) this.#options.free(buffer);
  }
}
