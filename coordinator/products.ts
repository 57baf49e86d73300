import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../shared/config/schema.js';
import type { Dataset } from '../shared/data/dataset.js';
import { mediumOf } from '../shared/config/medium.js';
import { allocateClasses, bytesOf, bytesPerVariable, classesFrom } from '../shared/method/classes.js';
import type { ModelDescription } from '../shared/model/description.js';
import { renderSamples } from '../shared/render/samples.js';
import type { Task } from '../shared/protocol/messages.js';
import type { RunEvent } from './events.js';

/** Whether something that comes every so many steps (0: only at the end) is due once `step` steps are committed. */
export function isDue(step: number, every: number, last: number): boolean {
  return step === last || (every > 0 && step > 0 && step % every === 0);
}

type Sizes = Pick<ModelDescription, 'numPositions' | 'numStages'>;

/**
 * Evaluations and samples: cut into tasks for the workers, put together from their results.
 * The tasks of a step, and what comes out of them, depend on the configuration and the step alone.
 */
export class Products {
  readonly #config: Config;
  readonly #dataset: Dataset;
  readonly #model: Sizes;
  readonly #samplesFolder: string;
  readonly #results = new Map<number, Uint8Array>();
  #startedAt = 0;

  constructor(config: Config, dataset: Dataset, model: Sizes, samplesFolder: string) {
    this.#config = config;
    this.#model = model;
    this.#dataset = dataset;
    this.#samplesFolder = samplesFolder;
  }

  /** Test examples of one evaluation pass. */
  get numEvaluated(): number {
    const { examples } = this.#config.evaluation;
    return examples === 0 ? this.#dataset.test.count : Math.min(examples, this.#dataset.test.count);
  }

  get #exampleSize(): number {
    const [height, width, channels] = this.#dataset.shape;
    return height * width * channels;
  }

  /** What is to be computed once `step` steps are committed. */
  tasksAfter(step: number): Task[] {
    const { evaluation, samples, training } = this.#config;
    const tasks: Task[] = [];
    if (isDue(step, evaluation.everySteps, training.steps)) {
      for (let pass = 0; pass < evaluation.passes; pass++) {
        for (let first = 0; first < this.numEvaluated; first += evaluation.batch) {
          const count = Math.min(evaluation.batch, this.numEvaluated - first);
          tasks.push({ kind: 'evaluate', task: tasks.length, pass, first, count });
        }
      }
    }
    if (samples.count > 0 && isDue(step, samples.everySteps, training.steps)) {
      for (let first = 0; first < samples.count; first += samples.batch) {
        const count = Math.min(samples.batch, samples.count - first);
        tasks.push({ kind: 'sample', task: tasks.length, first, count });
      }
    }
    return tasks;
  }

  /** The test examples of an evaluation task, one after another. */
  examplesOf(task: Task & { kind: 'evaluate' }): Uint8Array {
    const { test, numClasses } = this.#dataset;
    const size = this.#exampleSize;
    const examples = allocateClasses(numClasses, task.count * size);
    for (let i = 0; i < task.count; i++) {
      test.read(task.first + i, examples.subarray(i * size, (i + 1) * size));
    }
    return bytesOf(examples);
  }

  /** Bytes that the result of a task must have. */
  resultBytes(task: Task): number {
    const exampleBytes = this.#exampleSize * bytesPerVariable(this.#dataset.numClasses);
    return task.count * (task.kind === 'evaluate' ? 8 : exampleBytes);
  }

  begin(now: number): void {
    this.#results.clear();
    this.#startedAt = now;
  }

  /** Keeps a copy: the frame belongs to the socket. */
  add(task: number, result: Uint8Array): void {
    this.#results.set(task, new Uint8Array(result));
  }

  /** All tasks of `step` are done: the events that tell of them, the samples written to disk. */
  async finish(step: number, now: number): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    const tasks = this.tasksAfter(step);
    const seconds = (now - this.#startedAt) / 1000;
    const evaluated = tasks.filter(({ kind }) => kind === 'evaluate');
    if (evaluated.length > 0) events.push(this.#evaluation(step, evaluated, seconds));
    const sampled = tasks.filter(({ kind }) => kind === 'sample');
    if (sampled.length > 0) events.push(await this.#samples(step, sampled, seconds));
    return events;
  }

  #evaluation(step: number, tasks: readonly Task[], seconds: number): RunEvent {
    const elbos = tasks.flatMap(({ task }) => {
      const bytes = this.#results.get(task)!;
      return [...new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)];
    });
    // Draws of one example are not independent of each other: the error is that of the examples' means.
    const count = this.numEvaluated;
    const { passes } = this.#config.evaluation;
    const values = Array.from({ length: count }, (_, i) => {
      let sum = 0;
      for (let pass = 0; pass < passes; pass++) sum += elbos[pass * count + i]!;
      return sum / passes;
    });
    const mean = values.reduce((a, b) => a + b, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count - 1);
    return {
      event: 'evaluation',
      step,
      split: 'test',
      bitsPerDim: -mean,
      standardError: Math.sqrt(variance / count),
      examples: count,
      seconds,
    };
  }

  async #samples(step: number, tasks: readonly Task[], seconds: number): Promise<RunEvent> {
    const { shape, numClasses } = this.#dataset;
    const { data, samples } = this.#config;
    const { numPositions, numStages } = this.#model;
    const bytes = Buffer.concat(tasks.map(({ task }) => this.#results.get(task)!));
    const kind = { medium: mediumOf(data), shape, numClasses, numContext: data.context };
    const files = renderSamples(classesFrom(bytes, numClasses), kind);
    const stem = path.join(this.#samplesFolder, `step-${String(step).padStart(8, '0')}`);
    await mkdir(this.#samplesFolder, { recursive: true });
    for (const { suffix, bytes } of files) {
      await writeFile(`${stem}${suffix}.part`, bytes);
      await rename(`${stem}${suffix}.part`, stem + suffix);
    }
    return {
      event: 'samples',
      step,
      path: stem + files[0]!.suffix,
      count: samples.count,
      budget: numStages * Math.min(samples.budget ?? numPositions, numPositions),
      seconds,
    };
  }
}
