import { ARRAYS } from '../shared/checkpoint/state.js';
import type { TrainingConfig } from '../shared/config/schema.js';
import { checksum } from '../shared/exchange/buckets.js';
import { nextLink } from '../shared/exchange/chain.js';
import { Exchange, type ExchangeOptions } from '../shared/exchange/exchange.js';
import { statisticsFrames, type Statistics } from '../shared/exchange/statistics.js';
import type { Process } from '../shared/method/bound.js';
import { LossTracker } from '../shared/method/tracker.js';
import { Replica } from '../shared/optimizer/replica.js';
import { planUpdate, type Update } from '../shared/optimizer/update.js';
import type { Gathered } from './gathering.js';
import { Reducers } from './reducers.js';
import { Summing, type Place, type Summed } from './summing.js';
import { residualIn, stateBytes, stateIn, type StateSizes } from '../shared/exchange/state-copy.js';

/** What averaging begins with. `memory` is the replica's; from then on nobody else writes to it. */
export interface AveragerData {
  readonly memory: WebAssembly.Memory;
  readonly model: StateSizes & Process;
  readonly training: TrainingConfig;
  readonly exchange: ExchangeOptions;
  /** What the averages that were published so far lack; absent where the exchange keeps none. */
  readonly residual?: SharedArrayBuffer;
  readonly step: number;
  readonly chain: string;
  /** Where averages are put, while there is room, for others to see. */
  readonly places?: readonly SharedArrayBuffer[] | undefined;
}

export type ToAverager =
  /** The sum over a subtree's slices; its buffer now belongs to the averager, or until the average is told where it is lent. */
  | ({ kind: 'sum'; step: number; hash: boolean } & Gathered)
  /** Nobody needs the average in this place any more. */
  | { kind: 'vacant'; place: number }
  | { kind: 'snapshot'; request: number; buffer?: SharedArrayBuffer }
  /** A state of the run, laid out as a snapshot's. */
  | { kind: 'load'; step: number; chain: string; buffer: SharedArrayBuffer };

export type FromAverager =
  /** A buffer that is no longer needed. */
  | { kind: 'free'; buffer: SharedArrayBuffer }
  /** The average of a step, decided; `buffer` holds it as it is published, encoded and packed. The replica applies it, and observes the statistics, next. */
  | {
      kind: 'averaged';
      step: number;
      buffer: SharedArrayBuffer;
      /** Which of `places` the buffer is, and what it is stamped with; undefined: it is none. */
      place: Place | undefined;
      /** Of its buckets. */
      checksums: number[];
      /** Of the whole batch. */
      statistics: Statistics;
      /** Of the statistics' frames. */
      crcs: [number, number];
      chain: string;
      update: Update;
      gradientNorm: number;
      seconds: number;
    }
  | { kind: 'nonfinite'; step: number }
  | { kind: 'hash'; step: number; hash: string }
  /** `buffer` holds a copy of the state: see `stateIn`, `residualIn`. */
  | {
      kind: 'snapshot';
      request: number;
      step: number;
      chain: string;
      buffer: SharedArrayBuffer;
      seconds: number;
    };

/** Sums the slices' gradients of one step after another, decides the update, and applies it to the coordinator's replica. */
export class Averaging {
  readonly #data: AveragerData;
  readonly #post: (message: FromAverager) => void;
  readonly #replica: Replica;
  readonly #tracker: LossTracker;
  readonly #residual: Float32Array | undefined;
  /** Of the current step, as far as its sums have come. */
  readonly #statistics: Statistics;
  #step: number;
  #chain: string;
  readonly #reducers: Reducers;
  readonly #summing: Summing;

  /**
   * @param post takes what there is to tell, in order
   * @param numThreads that add and update
   */
  constructor(data: AveragerData, post: (message: FromAverager) => void, numThreads = 1) {
    const { memory, model, training, exchange, step, chain } = data;
    this.#data = data;
    this.#post = post;
    this.#replica = Replica.attach(memory, model.numParameters, model.numSteps);
    this.#tracker = new LossTracker(this.#replica.components);
    this.#residual = data.residual && new Float32Array(data.residual);
    this.#statistics = {
      timeSteps: new Int32Array(training.batch),
      logLikelihoods: new Float64Array(training.batch),
    };
    this.#step = step;
    this.#chain = chain;
    const { numParameters, numSteps } = model;
    this.#reducers = new Reducers(
      { memory, numParameters, numSteps, bucketBytes: exchange.bucketBytes },
      numThreads,
    );
    this.#summing = new Summing({
      exchange: new Exchange(exchange),
      replica: this.#replica,
      reducers: this.#reducers,
      slices: training.slices,
      residual: this.#residual,
      places: data.places ?? [],
      free: (buffer) => post({ kind: 'free', buffer }),
    });
  }

  take(message: ToAverager): void {
    if (message.kind === 'snapshot') this.#snapshot(message.request, message.buffer);
    else if (message.kind === 'load') this.#load(message);
    else if (message.kind === 'vacant') this.#summing.vacate(message.place);
    else if (message.step === this.#step) this.#add(message, message.hash);
    else if (!message.lent) this.#post({ kind: 'free', buffer: message.buffer });
  }

  #add(gathered: Gathered, hash: boolean): void {
    const { training } = this.#data;
    const { node, statistics } = gathered;
    const started = performance.now();
    const firstExample = (node.index << node.level) * (training.batch / training.slices);
    this.#statistics.timeSteps.set(statistics.timeSteps, firstExample);
    this.#statistics.logLikelihoods.set(statistics.logLikelihoods, firstExample);
    const summed = this.#summing.put(this.#step, gathered);
    if (summed === 'not finite') this.#post({ kind: 'nonfinite', step: this.#step });
    else if (summed) this.#decide(summed, hash, started);
  }

  #decide({ squaredNorm, ...summed }: Summed, hash: boolean, started: number): void {
    const { model, training } = this.#data;
    const step = this.#step;
    const update = planUpdate(training, step, squaredNorm);
    const { timeSteps, logLikelihoods } = this.#statistics;
    const [stepFrame, nats] = statisticsFrames(this.#statistics);
    const crcs: [number, number] = [checksum(stepFrame), checksum(nats)];
    this.#chain = nextLink(this.#chain, step, [...summed.checksums, ...crcs], { ...update });
    this.#post({
      ...{ kind: 'averaged', step, ...summed, crcs, chain: this.#chain, update },
      statistics: this.#statistics,
      gradientNorm: Math.sqrt(squaredNorm),
      seconds: (performance.now() - started) / 1000,
    });
    this.#reducers.apply(update);
    this.#tracker.observeBatch(timeSteps, logLikelihoods, model);
    this.#step++;
    if (hash) this.#post({ kind: 'hash', step: this.#step, hash: this.#replica.hash() });
  }

  #snapshot(request: number, reuse: SharedArrayBuffer | undefined): void {
    const started = performance.now();
    const { model, residual } = this.#data;
    const bytes = stateBytes(model) + (residual?.byteLength ?? 0);
    const buffer = reuse ?? new SharedArrayBuffer(bytes);
    const copy = stateIn(buffer, model);
    for (const array of ARRAYS) copy[array].set(this.#replica[array]);
    if (this.#residual) residualIn(buffer, model)!.set(this.#residual);
    const seconds = (performance.now() - started) / 1000;
    this.#post({ kind: 'snapshot', request, step: this.#step, chain: this.#chain, buffer, seconds });
  }

  /** Goes on from another state of the run, which lacks the residual. */
  #load({ step, chain, buffer }: ToAverager & { kind: 'load' }): void {
    const state = stateIn(buffer, this.#data.model);
    for (const array of ARRAYS) this.#replica[array].set(state[array]);
    this.#residual?.fill(0);
    this.#step = step;
    this.#chain = chain;
    this.#summing.restart();
  }
}
