import { ARRAYS } from '../shared/checkpoint/state.js';
import type { TrainingConfig } from '../shared/config/schema.js';
import { bucketBytes, bucketsOf, checksum, type Bucket } from '../shared/exchange/buckets.js';
import { nextLink } from '../shared/exchange/chain.js';
import { gradientBytes, gradientIn, writeStamped } from '../shared/exchange/gradient-buffer.js';
import { statisticsFrames, type Statistics } from '../shared/exchange/statistics.js';
import { TreeSum, type TreeNode } from '../shared/exchange/tree.js';
import type { Process } from '../shared/method/bound.js';
import { LossTracker } from '../shared/method/tracker.js';
import { Replica } from '../shared/optimizer/replica.js';
import { addInto } from '../shared/optimizer/sum.js';
import { planUpdate, type Update } from '../shared/optimizer/update.js';
import type { Gathered } from './gathering.js';
import { stateBytes, stateIn, type StateSizes } from '../shared/exchange/state-copy.js';

/** What averaging begins with. `memory` is the replica's; from then on nobody else writes to it. */
export interface AveragerData {
  readonly memory: WebAssembly.Memory;
  readonly model: StateSizes & Process;
  readonly training: TrainingConfig;
  readonly bucketBytes: number;
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

export interface Place {
  readonly place: number;
  readonly stamp: number;
}

export type FromAverager =
  /** A buffer that is no longer needed. */
  | { kind: 'free'; buffer: SharedArrayBuffer }
  /** The average of a step, decided; `buffer` holds it. The replica applies it, and observes the statistics, next. */
  | {
      kind: 'averaged';
      step: number;
      buffer: SharedArrayBuffer;
      /** Which of `places` the buffer is, and what it is stamped with; undefined: it is none. */
      place: Place | undefined;
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
  /** `buffer` holds a copy of the state: see `stateIn`. */
  | {
      kind: 'snapshot';
      request: number;
      step: number;
      chain: string;
      buffer: SharedArrayBuffer;
      seconds: number;
    };

/** 0 is none. */
const MAX_STAMP = 2 ** 31 - 1;

type Sum = Pick<Gathered, 'buffer' | 'lent'>;

/** Sums the slices' gradients of one step after another, decides the update, and applies it to the coordinator's replica. */
export class Averaging {
  readonly #data: AveragerData;
  readonly #post: (message: FromAverager) => void;
  readonly #replica: Replica;
  readonly #tracker: LossTracker;
  readonly #buckets: readonly Bucket[];
  readonly #root: TreeNode;
  /** Of the current step, as far as its sums have come. */
  readonly #statistics: Statistics;
  #step: number;
  #chain: string;
  #tree: TreeSum<Sum>;
  readonly #vacant: number[];
  #stamp = 0;

  /** @param post takes what there is to tell, in order */
  constructor(data: AveragerData, post: (message: FromAverager) => void) {
    const { memory, model, training, step, chain } = data;
    this.#data = data;
    this.#post = post;
    this.#replica = Replica.attach(memory, model.numParameters, model.numSteps);
    this.#tracker = new LossTracker(this.#replica.components);
    this.#buckets = bucketsOf(model.numParameters, data.bucketBytes);
    this.#root = { level: Math.log2(training.slices), index: 0 };
    this.#statistics = {
      timeSteps: new Int32Array(training.batch),
      logLikelihoods: new Float64Array(training.batch),
    };
    this.#step = step;
    this.#chain = chain;
    this.#tree = new TreeSum([this.#root]);
    this.#vacant = (data.places ?? []).map((_, place) => place);
  }

  take(message: ToAverager): void {
    if (message.kind === 'snapshot') this.#snapshot(message.request, message.buffer);
    else if (message.kind === 'load') this.#load(message);
    else if (message.kind === 'vacant') this.#vacant.push(message.place);
    else if (message.step === this.#step) this.#add(message, message.hash);
    else this.#free(message);
  }

  #free({ buffer, lent }: Sum): void {
    if (!lent) this.#post({ kind: 'free', buffer });
  }

  /** Adds siblings as they complete, along the tree whose shape is fixed by the number of slices. */
  #add({ node, buffer, lent, statistics }: Gathered, hash: boolean): void {
    const { training } = this.#data;
    const started = performance.now();
    const firstExample = (node.index << node.level) * (training.batch / training.slices);
    this.#statistics.timeSteps.set(statistics.timeSteps, firstExample);
    this.#statistics.logLikelihoods.set(statistics.logLikelihoods, firstExample);
    let next = this.#tree.put(node, { buffer, lent });
    while (next.kind === 'merge') {
      addInto(new Float32Array(next.left.buffer), new Float32Array(next.right.buffer));
      this.#free(next.right);
      next = this.#tree.put(next.parent, next.left);
    }
    if (next.kind === 'goal') this.#average(next.value, hash, started);
  }

  #average(sum: Sum, hash: boolean, started: number): void {
    const { model, training } = this.#data;
    const step = this.#step;
    this.#tree = new TreeSum([this.#root]);
    const { gradient } = this.#replica;
    gradient.set(gradientIn(sum.buffer, model.numParameters));
    const squaredNorm = this.#replica.squaredNorm();
    if (!Number.isFinite(squaredNorm)) {
      this.#free(sum);
      this.#post({ kind: 'nonfinite', step });
      return;
    }
    const update = planUpdate(training, step, squaredNorm);
    const checksums = this.#buckets.map((bucket) => checksum(bucketBytes(gradient, bucket)));
    const { timeSteps, logLikelihoods } = this.#statistics;
    const [stepFrame, nats] = statisticsFrames(this.#statistics);
    const crcs: [number, number] = [checksum(stepFrame), checksum(nats)];
    this.#chain = nextLink(this.#chain, step, [...checksums, ...crcs], { ...update });
    this.#post({
      ...{ kind: 'averaged', step, ...this.#place(sum), checksums, crcs, chain: this.#chain, update },
      statistics: this.#statistics,
      gradientNorm: Math.sqrt(squaredNorm),
      seconds: (performance.now() - started) / 1000,
    });
    this.#replica.apply(update);
    this.#tracker.observeBatch(timeSteps, logLikelihoods, model);
    this.#step++;
    if (hash) this.#post({ kind: 'hash', step: this.#step, hash: this.#replica.hash() });
  }

  /** Puts the average where others see it, if there is room. */
  #place(sum: Sum): { buffer: SharedArrayBuffer; place: Place | undefined } {
    const { gradient } = this.#replica;
    const place = this.#vacant.pop();
    if (place === undefined && !sum.lent) return { buffer: sum.buffer, place };
    this.#free(sum);
    if (place === undefined) {
      const buffer = new SharedArrayBuffer(gradientBytes(gradient.length));
      gradientIn(buffer, gradient.length).set(gradient);
      return { buffer, place };
    }
    const buffer = this.#data.places![place]!;
    this.#stamp = (this.#stamp % MAX_STAMP) + 1;
    writeStamped(buffer, gradient, this.#stamp);
    return { buffer, place: { place, stamp: this.#stamp } };
  }

  #snapshot(request: number, reuse: SharedArrayBuffer | undefined): void {
    const started = performance.now();
    const buffer = reuse ?? new SharedArrayBuffer(stateBytes(this.#data.model));
    const copy = stateIn(buffer, this.#data.model);
    for (const array of ARRAYS) copy[array].set(this.#replica[array]);
    const seconds = (performance.now() - started) / 1000;
    this.#post({ kind: 'snapshot', request, step: this.#step, chain: this.#chain, buffer, seconds });
  }

  /** Goes on from another state of the run. */
  #load({ step, chain, buffer }: ToAverager & { kind: 'load' }): void {
    const state = stateIn(buffer, this.#data.model);
    for (const array of ARRAYS) this.#replica[array].set(state[array]);
    this.#step = step;
    this.#chain = chain;
    this.#tree = new TreeSum([this.#root]);
  }
}
