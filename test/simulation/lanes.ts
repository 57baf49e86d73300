import { checksum } from '../../shared/exchange/buckets.js';
import { gradientIn } from '../../shared/exchange/gradient-buffer.js';
import { Exchange, exchangeOptions } from '../../shared/exchange/exchange.js';
import { LossTracker } from '../../shared/method/tracker.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { ARRAYS } from '../../shared/checkpoint/state.js';
import type { Device, LaneJobs, LaneModel, LaneRequest } from '../../worker/lane-thread.js';
import type { Lanes } from '../../worker/lanes.js';
import type { SimulatedProcess } from './process.js';
import { model as description } from './setup.js';

interface Job {
  readonly request: LaneRequest;
  readonly resolve: (result: never) => void;
}

export interface LaneWatch {
  began(kind: LaneRequest['kind']): void;
  /** A replica took a step: it holds the state of `step`. */
  applied(step: number, replica: Replica): void;
  /** Whether a slice's gradient comes out broken this time. */
  isBroken(): boolean;
}

/**
 * Lanes whose gradients mean nothing and depend on everything: on step, slice, examples and each parameter, so that whatever is computed
 * from a wrong state, or added twice, changes the weights. Jobs wait as those of `Lanes` do, and take simulated time.
 */
export class SimulatedLanes implements Pick<Lanes, 'device' | 'count' | 'load' | 'clear' | 'run'> {
  readonly device: Device = { description: 'simulated', provider: 'cpu', repeatable: true };
  readonly count: number;
  readonly #process: SimulatedProcess;
  readonly #duration: (kind: LaneRequest['kind']) => number;
  readonly #watch: LaneWatch;
  readonly #queue: Job[] = [];
  #running = 0;
  #idle: (() => void)[] = [];
  #replica!: Replica;
  #exchange!: Exchange;

  /** @param duration milliseconds that a job takes */
  constructor(
    process: SimulatedProcess,
    count: number,
    duration: (kind: LaneRequest['kind']) => number,
    watch: LaneWatch,
  ) {
    this.#process = process;
    this.count = count;
    this.#duration = duration;
    this.#watch = watch;
  }

  async load({ config, memory }: LaneModel): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await new Promise<void>((resolve) => this.#process.after(this.#duration('model'), resolve));
    this.#replica = Replica.attach(memory, description.numParameters, description.numSteps);
    this.#exchange = new Exchange(exchangeOptions(config, description));
  }

  clear(): void {
    this.#queue.length = 0;
  }

  run<K extends keyof LaneJobs>(
    kind: K,
    request: LaneJobs[K]['request'],
    urgent = false,
  ): Promise<LaneJobs[K]['result']> {
    return new Promise((resolve) => {
      const job = { request: { kind, request } as LaneRequest, resolve };
      if (urgent) this.#queue.unshift(job);
      else this.#queue.push(job);
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < this.count) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#running++;
      const finish = this.#begin(job.request);
      this.#process.after(this.#duration(job.request.kind), () => {
        const result = finish();
        this.#running--;
        job.resolve(result as never);
        for (const tell of this.#idle.splice(0)) tell();
        this.#next();
      });
    }
  }

  /** Begins a job; what is returned ends it. */
  #begin({ kind, request }: LaneRequest): () => unknown {
    this.#watch.began(kind);
    switch (kind) {
      case 'slice':
        return () => this.#slice(request);
      case 'merge':
        return () => {
          const { step, parent, left, right } = request;
          this.#exchange.merge(new Float32Array(left), new Float32Array(right), step, parent);
        };
      case 'encode':
        return () => this.#exchange.encodeShared(request.sum, request.step, request.node, request.residuals);
      case 'apply':
        return this.#apply(request);
      case 'task':
        return () => this.#task(request);
      case 'model':
        return () => undefined;
    }
  }

  #slice({ step, slice, examples, gradients }: LaneJobs['slice']['request']): LaneJobs['slice']['result'] {
    const { parameters } = this.#replica;
    const into = gradientIn(gradients, parameters.length);
    const salt = checksum(examples) ^ Math.imul(step + 1, 0x9e3779b1) ^ Math.imul(slice + 1, 0x85ebca6b);
    fillGradient(into, parameters, salt);
    this.#exchange.round(into, step, { level: 0, index: slice });
    const sliceSize = 2;
    const size = examples.length / sliceSize;
    const numbers = Array.from({ length: sliceSize }, (_, i) => examples[i * size]!);
    const first = slice * sliceSize;
    return {
      timeSteps: Int32Array.from(numbers, (_, i) => (step + first + i) % description.numSteps),
      // An example's number can be read off what is committed.
      logLikelihoods: Float64Array.from(numbers, (number) => -(number + 1) - fractionOf(parameters)),
      nonfinite: this.#watch.isBroken() ? 'a tensor' : undefined,
      seconds: 0,
    };
  }

  /** Half-way through, the memory holds neither state. */
  #apply({ update, statistics, hash }: LaneJobs['apply']['request']): () => string | undefined {
    const replica = this.#replica;
    const before = ARRAYS.map((array) => replica[array].slice());
    replica.apply(update);
    const { timeSteps, logLikelihoods } = statistics;
    new LossTracker(replica.components).observeBatch(timeSteps, logLikelihoods, description);
    const after = ARRAYS.map((array) => replica[array].slice());
    for (const [nth, array] of ARRAYS.entries())
      replica[array].set(before[nth]!.subarray(before[nth]!.length >> 1), before[nth]!.length >> 1);
    return () => {
      for (const [nth, array] of ARRAYS.entries()) replica[array].set(after[nth]!);
      this.#watch.applied(update.step + 1, replica);
      return hash ? replica.hash() : undefined;
    };
  }

  /** Elbos of the moving average. */
  #task({ task, examples }: LaneJobs['task']['request']): Uint8Array {
    const salt = checksum(examples!) & 0xffff;
    const elbo = -fractionOf(this.#replica.ema) - salt / 2 ** 16;
    return new Uint8Array(Float64Array.from({ length: task.count }, (_, i) => elbo - i - task.first).buffer);
  }
}

/** A linear congruential generator, pulled towards the parameters. */
function fillGradient(into: Float32Array, parameters: Float32Array, salt: number): void {
  let word = salt | 0;
  for (let i = 0; i < into.length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) | 0;
    into[i] = word * 2 ** -33 + 0.125 * parameters[i]!;
  }
}

/** In [0, 1), of all of them. */
function fractionOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 7) sum += Math.abs(values[i]!);
  return sum - Math.floor(sum);
}
