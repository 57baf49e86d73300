import { setTimeout } from 'node:timers/promises';
import { LossTracker } from '../shared/method/tracker.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';
import { Replica } from '../shared/optimizer/replica.js';
import type { Device, LaneJobs, LaneModel } from '../worker/lane-thread.js';
import type { Lanes } from '../worker/lanes.js';

/** Lanes that compute nothing: gradients are what the buffer holds, zeros. The update alone is real, unless they wait instead. */
export class IdleLanes implements Pick<Lanes, 'device' | 'count' | 'load' | 'clear' | 'run'> {
  readonly device: Device = { description: 'idle', provider: 'cpu', repeatable: true };
  readonly count = 1;
  #model!: ModelDescription;
  #replica!: Replica;
  #sliceSize = 0;
  readonly #waitMs: number | undefined;

  /** @param waitMs how long a slice takes; then there is no update either */
  constructor(waitMs?: number) {
    this.#waitMs = waitMs;
  }

  load({ config, shape, numClasses, memory }: LaneModel): Promise<void> {
    this.#model = describeModel(config.model, { shape, numClasses, numContext: config.data.context });
    this.#replica = Replica.attach(memory, this.#model.numParameters, this.#model.numSteps);
    this.#sliceSize = config.training.batch / config.training.slices;
    return Promise.resolve();
  }

  clear(): void {}

  async run<K extends keyof LaneJobs>(
    kind: K,
    request: LaneJobs[K]['request'],
  ): Promise<LaneJobs[K]['result']> {
    if (kind === 'slice' && this.#waitMs) await setTimeout(this.#waitMs);
    return this.#answer(kind, request) as LaneJobs[K]['result'];
  }

  #answer(kind: keyof LaneJobs, request: unknown): unknown {
    switch (kind) {
      case 'slice':
        return {
          timeSteps: new Int32Array(this.#sliceSize),
          logLikelihoods: new Float64Array(this.#sliceSize).fill(-1),
          nonfinite: undefined,
          seconds: 0,
        };
      case 'apply':
        return this.#apply(request as LaneJobs['apply']['request']);
      case 'task': {
        const { task } = request as LaneJobs['task']['request'];
        return new Uint8Array(new Float64Array(task.count).fill(-1).buffer);
      }
    }
  }

  #apply({ update, statistics, hash }: LaneJobs['apply']['request']): string | undefined {
    if (this.#waitMs === undefined) this.#replica.apply(update);
    const { timeSteps, logLikelihoods } = statistics;
    new LossTracker(this.#replica.components).observeBatch(timeSteps, logLikelihoods, this.#model);
    return hash ? this.#replica.hash() : undefined;
  }
}
