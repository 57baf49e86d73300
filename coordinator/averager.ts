import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AveragerData, FromAverager, ToAverager } from './averaging.js';
import { gradientBytes } from '../shared/exchange/gradient-buffer.js';
import type { Gathered } from './gathering.js';

export type Averaged = Extract<FromAverager, { kind: 'averaged' }>;
export type StateSnapshot = Extract<FromAverager, { kind: 'snapshot' }>;

interface AveragerEvents {
  averaged: [Averaged];
  nonfinite: [number];
  hash: [{ step: number; hash: string }];
  error: [Error];
}

/** Where the averaging is done: a thread, or a simulation of one. */
export interface AveragerPort {
  postMessage(message: ToAverager): void;
  on(event: 'message', listen: (message: FromAverager) => void): unknown;
  on(event: 'error', listen: (error: Error) => void): unknown;
  terminate(): Promise<unknown>;
}

const inThread = (data: AveragerData): AveragerPort =>
  new Worker(new URL('./averager-thread.js', import.meta.url), { workerData: data });

/**
 * The thread that sums the slices' gradients and holds the coordinator's replica. Gradient buffers (see `gradientBytes`)
 * circulate: `take` one, fill it, hand it over with `add`, get one back as the average, `give` that back.
 */
export class Averager extends EventEmitter<AveragerEvents> {
  readonly #port: AveragerPort;
  readonly #bytes: number;
  readonly #free: SharedArrayBuffer[] = [];
  readonly #snapshots = new Map<number, (snapshot: StateSnapshot) => void>();
  #requests = 0;

  constructor(data: AveragerData, open: (data: AveragerData) => AveragerPort = inThread) {
    super();
    this.#bytes = gradientBytes(data.model.numParameters);
    this.#port = open(data);
    this.#port.on('message', (message: FromAverager) => this.#receive(message));
    this.#port.on('error', (error: Error) => this.emit('error', error));
  }

  take(): SharedArrayBuffer {
    return this.#free.pop() ?? new SharedArrayBuffer(this.#bytes);
  }

  give(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer);
  }

  /** Gives an average back. */
  release({ buffer, place }: Pick<Averaged, 'buffer' | 'place'>): void {
    if (place === undefined) this.give(buffer);
    else this.#post({ kind: 'vacant', place: place.place });
  }

  /** @param hash whether the replica's hash is wanted after this step */
  add(step: number, gathered: Gathered, hash: boolean): void {
    this.#post({ kind: 'sum', step, hash, ...gathered });
  }

  /** The replica between two steps, copied; into the `buffer` of a former snapshot where one is given. */
  snapshot(buffer?: SharedArrayBuffer): Promise<StateSnapshot> {
    const request = this.#requests++;
    return new Promise((resolve) => {
      this.#snapshots.set(request, resolve);
      this.#post({ kind: 'snapshot', request, buffer });
    });
  }

  /** Goes on from another state of the run, laid out as a snapshot's. */
  load(step: number, chain: string, buffer: SharedArrayBuffer): void {
    this.#post({ kind: 'load', step, chain, buffer });
  }

  async close(): Promise<void> {
    await this.#port.terminate();
  }

  #post(message: ToAverager): void {
    this.#port.postMessage(message);
  }

  #receive(message: FromAverager): void {
    switch (message.kind) {
      case 'free':
        return this.give(message.buffer);
      case 'averaged':
        return void this.emit('averaged', message);
      case 'nonfinite':
        return void this.emit('nonfinite', message.step);
      case 'hash':
        return void this.emit('hash', { step: message.step, hash: message.hash });
      case 'snapshot':
        this.#snapshots.get(message.request)?.(message);
        this.#snapshots.delete(message.request);
    }
  }
}
