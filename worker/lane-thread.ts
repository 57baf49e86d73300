import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../shared/config/schema.js';
import { selectEngine, type EngineChoice } from '../shared/engine/select.js';
import type { Engine, Provider } from '../shared/engine/engine.js';
import { gradientIn } from '../shared/exchange/gradient-buffer.js';
import { Exchange, exchangeOptions, type Encoded } from '../shared/exchange/exchange.js';
import type { Statistics } from '../shared/exchange/statistics.js';
import type { TreeNode } from '../shared/exchange/tree.js';
import { drawEvaluation } from '../shared/method/evaluation.js';
import { bytesOf, classesFrom } from '../shared/method/classes.js';
import { planStages } from '../shared/method/plan.js';
import { hasSeenEveryStage, seenComponents } from '../shared/method/seen-components.js';
import { naivePolicy } from '../shared/method/policy.js';
import { LossTracker } from '../shared/method/tracker.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { Sampler } from '../shared/model/sample.js';
import { SliceTrainer } from '../shared/model/train-slice.js';
import { Replica } from '../shared/optimizer/replica.js';
import { areFinite } from '../shared/optimizer/finite.js';
import type { Update } from '../shared/optimizer/update.js';
import type { Task } from '../shared/protocol/messages.js';

/** What a lane computes on. */
export interface Device {
  readonly description: string;
  readonly provider: Provider;
  /** One slice gives the same bytes twice. */
  readonly repeatable: boolean;
}

/** The model that the lanes work on, and the replica they share. */
export interface LaneModel {
  readonly config: Config;
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  readonly numTestExamples: number;
  readonly memory: WebAssembly.Memory;
}

export interface SliceResult {
  readonly timeSteps: Int32Array;
  readonly logLikelihoods: Float64Array;
  /** Name of the first parameter whose gradient is not finite. */
  readonly nonfinite: string | undefined;
  readonly seconds: number;
}

/** What a lane can be asked, and what it answers. */
export interface LaneJobs {
  model: { request: LaneModel; result: void };
  slice: {
    request: { step: number; slice: number; examples: Uint8Array; gradients: SharedArrayBuffer };
    result: SliceResult;
  };
  /** Adds the right child of `parent` to the left one. */
  merge: {
    request: { step: number; parent: TreeNode; left: SharedArrayBuffer; right: SharedArrayBuffer };
    result: void;
  };
  /** Encodes a sum in its own memory, with what was lacking before; `next` takes what is now. */
  encode: {
    request: {
      step: number;
      node: TreeNode;
      sum: SharedArrayBuffer;
      residuals?: { residual: SharedArrayBuffer; next: SharedArrayBuffer };
    };
    result: Encoded;
  };
  apply: { request: { update: Update; statistics: Statistics; hash: boolean }; result: string | undefined };
  task: { request: { task: Task; examples: Uint8Array | undefined }; result: Uint8Array };
}

export type LaneRequest = {
  [K in keyof LaneJobs]: { kind: K; request: LaneJobs[K]['request'] };
}[keyof LaneJobs];
export type FromLane =
  | { kind: 'device'; device: Device }
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; message: string };

const port = parentPort!;
const post = (message: FromLane) => port.postMessage(message);
let engine: Engine;

/** Everything that depends on the model; programs are compiled when they are first needed. */
class Lane {
  readonly #model: LaneModel;
  readonly #description: ModelDescription;
  readonly #replica: Replica;
  readonly #exchange: Exchange;
  readonly #tracker: LossTracker;
  #trainer: Promise<SliceTrainer> | undefined;
  #evaluator: Promise<Evaluator> | undefined;
  #sampler: Promise<Sampler> | undefined;

  constructor(model: LaneModel) {
    this.#model = model;
    const { model: modelConfig, data } = model.config;
    this.#description = describeModel(modelConfig, { ...model, numContext: data.context });
    const { numParameters, numSteps } = this.#description;
    this.#replica = Replica.attach(model.memory, numParameters, numSteps);
    this.#tracker = new LossTracker(this.#replica.components);
    this.#exchange = new Exchange(exchangeOptions(model.config, this.#description));
  }

  async slice({
    step,
    slice,
    examples,
    gradients: buffer,
  }: LaneJobs['slice']['request']): Promise<SliceResult> {
    const { seed, model, training } = this.#model.config;
    const sliceSize = training.batch / training.slices;
    this.#trainer ??= SliceTrainer.create(engine, this.#description, model, {
      batch: training.batch,
      sliceSize,
      seed,
    });
    const trainer = await this.#trainer;
    const started = performance.now();
    const gradients = gradientIn(buffer, this.#description.numParameters);
    const { timeSteps, logLikelihoods } = await trainer.run({
      parameters: this.#replica.parameters,
      gradients,
      step,
      firstPosition: slice * sliceSize,
      examples: classesFrom(examples, this.#model.numClasses),
    });
    const seconds = (performance.now() - started) / 1000;
    const nonfinite = this.#firstNonfinite(gradients);
    this.#exchange.round(gradients, step, { level: 0, index: slice });
    return { timeSteps, logLikelihoods, nonfinite, seconds };
  }

  merge({ step, parent, left, right }: LaneJobs['merge']['request']): void {
    this.#exchange.merge(new Float32Array(left), new Float32Array(right), step, parent);
  }

  encode({ step, node, sum, residuals }: LaneJobs['encode']['request']): Encoded {
    return this.#exchange.encodeShared(sum, step, node, residuals);
  }

  apply({ update, statistics, hash }: LaneJobs['apply']['request']): string | undefined {
    this.#replica.apply(update);
    this.#tracker.observeBatch(statistics.timeSteps, statistics.logLikelihoods, this.#description);
    return hash ? this.#replica.hash() : undefined;
  }

  async task({ task, examples }: LaneJobs['task']['request']): Promise<Uint8Array> {
    const { seed, model, evaluation, samples } = this.#model.config;
    const { numPositions } = this.#description;
    const parameters = this.#replica.ema;
    if (task.kind === 'sample') {
      this.#sampler ??= Sampler.create(engine, this.#description, model, samples.batch);
      const sampler = await this.#sampler;
      const policy = this.#samplePolicy();
      const drawn = await sampler.run({ parameters, seed, first: task.first, count: task.count, policy });
      return bytesOf(drawn);
    }
    this.#evaluator ??= Evaluator.create(engine, this.#description, model, evaluation.batch);
    const evaluator = await this.#evaluator;
    const { orders, timeSteps } = drawEvaluation({
      seed,
      pass: task.pass,
      first: task.first,
      count: task.count,
      numExamples: this.#model.numTestExamples,
      numPositions,
      steps: this.#description,
      mode: evaluation.timeSteps,
    });
    const { elbo } = await evaluator.run({
      parameters,
      examples: classesFrom(examples!, this.#model.numClasses),
      orders,
      timeSteps,
    });
    return new Uint8Array(elbo.buffer, elbo.byteOffset, elbo.byteLength);
  }

  #samplePolicy(): Int32Array {
    const { budget, policy } = this.#model.config.samples;
    const { numPositions, numStages } = this.#description;
    const numCalls = Math.min(numPositions, budget ?? numPositions);
    const { components } = this.#replica;
    return policy === 'planned' && hasSeenEveryStage(components, numStages)
      ? planStages(seenComponents(components, numStages), numStages, numCalls).policy
      : naivePolicy(numPositions, numCalls, numStages);
  }

  #firstNonfinite(gradients: Float32Array): string | undefined {
    if (areFinite(gradients)) return undefined;
    let offset = 0;
    for (const { name, shape } of this.#description.parameters) {
      const size = shape.reduce((a, b) => a * b, 1);
      if (!gradients.subarray(offset, offset + size).every(Number.isFinite)) return name;
      offset += size;
    }
    return undefined;
  }
}

let lane: Lane | undefined;

async function answer(message: LaneRequest): Promise<unknown> {
  switch (message.kind) {
    case 'model':
      lane = new Lane(message.request);
      return undefined;
    case 'merge':
      return lane!.merge(message.request);
    case 'encode':
      return lane!.encode(message.request);
    case 'slice':
      return lane!.slice(message.request);
    case 'apply':
      return lane!.apply(message.request);
    case 'task':
      return lane!.task(message.request);
  }
}

const words = (error: unknown) => (error instanceof Error ? error.message : String(error));

try {
  const selected = await selectEngine(workerData as EngineChoice);
  engine = selected.engine;
  const { description, provider } = engine;
  post({ kind: 'device', device: { description, provider, repeatable: selected.repeatable } });
  port.on('message', (message: LaneRequest) => {
    answer(message).then(
      (result) => post({ kind: 'result', result }),
      (error) => post({ kind: 'error', message: words(error) }),
    );
  });
} catch (error) {
  post({ kind: 'error', message: words(error) });
}
