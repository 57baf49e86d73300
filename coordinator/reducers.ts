import { Worker } from 'node:worker_threads';
import { Replica } from '../shared/optimizer/replica.js';
import type { Update } from '../shared/optimizer/update.js';
import { rangesOf, Reduction, type Found, type Range, type Terms } from './reduction.js';

export interface ReducersData {
  readonly memory: WebAssembly.Memory;
  readonly numParameters: number;
  readonly numSteps: number;
  readonly bucketBytes: number;
}

export interface ReducerData extends ReducersData {
  readonly range: Range;
  readonly found: Found;
  /** Threads that are at work. */
  readonly pending: Int32Array<SharedArrayBuffer>;
}

export type ReducerJob =
  | { readonly kind: 'reduce'; readonly terms: Terms; readonly copy: SharedArrayBuffer | undefined }
  | { readonly kind: 'apply'; readonly update: Update };

/** Below so many parameters one thread is done before another has begun. */
const MIN_PARAMETERS = 2 ** 20;
/** Longer than any of this takes. */
const TIMEOUT_MS = 60_000;

/** Adds and updates on several threads, each on a range of its own: the calling one, which waits for the others, is one of them. */
export class Reducers {
  readonly #data: ReducersData;
  readonly #reduction: Reduction;
  readonly #ranges: readonly Range[];
  readonly #found: Found;
  readonly #threads: readonly Worker[];
  readonly #pending = new Int32Array(new SharedArrayBuffer(4));

  /** @param numThreads the calling one included */
  constructor(data: ReducersData, numThreads: number) {
    const { memory, numParameters, numSteps, bucketBytes } = data;
    this.#data = data;
    this.#reduction = new Reduction(Replica.attach(memory, numParameters, numSteps), bucketBytes);
    this.#ranges = rangesOf(numParameters, bucketBytes, numParameters < MIN_PARAMETERS ? 1 : numThreads);
    this.#found = Reduction.found(numParameters, bucketBytes);
    this.#threads = this.#ranges.slice(1).map((range) => {
      const workerData: ReducerData = { ...data, range, found: this.#found, pending: this.#pending };
      return new Worker(new URL('./reducer-thread.js', import.meta.url), { workerData });
    });
  }

  /** Adds the terms into the replica's gradient, and to `copy`. The squared norm is as the replica's own. */
  reduce(terms: Terms, copy: SharedArrayBuffer | undefined): { squaredNorm: number; checksums: number[] } {
    this.#everyone({ kind: 'reduce', terms, copy }, (range) =>
      this.#reduction.reduce(terms, copy, range, this.#found),
    );
    const { squares, checksums } = this.#found;
    return { squaredNorm: squares.reduce((sum, square) => sum + square, 0), checksums: [...checksums] };
  }

  /** One optimizer step of the replica. */
  apply(update: Update): void {
    this.#everyone({ kind: 'apply', update }, (range) => this.#reduction.apply(update, range));
  }

  close(): void {
    for (const thread of this.#threads) void thread.terminate();
  }

  #everyone(job: ReducerJob, work: (range: Range) => void): void {
    Atomics.store(this.#pending, 0, this.#threads.length);
    for (const thread of this.#threads) thread.postMessage(job);
    work(this.#ranges[0]!);
    const deadline = performance.now() + TIMEOUT_MS;
    for (let pending; (pending = Atomics.load(this.#pending, 0)) > 0;) {
      if (Atomics.wait(this.#pending, 0, pending, deadline - performance.now()) === 'timed-out')
        throw new Error(
          `a thread that adds gradients of ${this.#data.numParameters} parameters did not answer`,
        );
    }
  }
}
