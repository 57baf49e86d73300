import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Observer, RunEvent } from '../events.js';
import { EventFile } from './event-file.js';
import { sampleValues } from './sample-values.js';
import { scalar, text, type SummaryValue } from './summary.js';

/** How long histograms that are being made at the end of a run hold it up, at most. */
const CLOSE_MS = 10_000;

type Part = 'train' | 'test' | 'checkpoints';

/**
 * Writes what TensorBoard shows of a run into a folder. What a resumed run does again has a folder of its own, so that each begins anew where it does: `train` the
 * steps, `test` evaluations and samples, `checkpoints` histograms. A failure is told on stderr and ends the writing, not the run.
 */
export class TensorBoard {
  readonly #folder: string;
  readonly #config: string;
  readonly #files: Readonly<Record<Part, EventFile>>;
  /** The run began at step 0: whatever is in the folder is of another. */
  #isAnew = false;
  #hasConfig = false;
  #hasFailed = false;
  #batch = 0;
  /** What was begun last of the samples. */
  #reading: Promise<void> = Promise.resolve();
  #drawing: Worker | undefined;

  /** @param config as text */
  constructor(folder: string, config: string) {
    this.#folder = folder;
    this.#config = config;
    const file = (name: Part) => new EventFile(path.join(folder, name));
    this.#files = { train: file('train'), test: file('test'), checkpoints: file('checkpoints') };
  }

  readonly observe: Observer = (event, time) => {
    switch (event.event) {
      case 'start':
        this.#batch = event.batch;
        this.#isAnew = event.step === 0;
        break;
      case 'recovered':
        this.#isAnew &&= event.step === 0;
        break;
      case 'step':
        this.#add('train', event.step, time, this.#stepValues(event));
        break;
      case 'evaluation':
        this.#add('test', event.step, time, [
          scalar('bits_per_dim', event.bitsPerDim),
          scalar('bits_per_dim_standard_error', event.standardError),
        ]);
        break;
      case 'samples':
        this.#reading = this.#reading
          .then(() => sampleValues(event.path))
          .then((values) => this.#add('test', event.step, time, values))
          .catch((error: Error) => this.#fail(error));
        break;
      case 'checkpoint':
        this.#draw(event, time);
        break;
    }
  };

  /** Resolves once everything is written, or it takes too long. */
  async close(): Promise<void> {
    await this.#reading;
    const limit = setTimeout(() => void this.#drawing?.terminate(), CLOSE_MS);
    if (this.#drawing) await new Promise((resolve) => this.#drawing!.once('exit', resolve));
    clearTimeout(limit);
    for (const file of Object.values(this.#files)) file.close();
  }

  #stepValues(event: RunEvent & { event: 'step' }): SummaryValue[] {
    const { bitsPerDim, loss, gradientNorm, clipFactor, learningRate, epoch, seconds, phases } = event;
    const values = [
      scalar('bits_per_dim', bitsPerDim),
      scalar('loss', loss),
      scalar('optimizer/gradient_norm', gradientNorm),
      scalar('optimizer/clip_factor', clipFactor),
      scalar('optimizer/learning_rate', learningRate),
      scalar('progress/epoch', epoch),
      scalar('progress/examples_per_second', this.#batch / seconds),
      scalar('progress/workers', event.members),
      scalar('seconds/step', seconds),
      ...Object.entries(phases).map(([phase, value]) => scalar(`seconds/${phase}`, value)),
    ];
    if (this.#hasConfig) return values;
    this.#hasConfig = true;
    return [...values, text('config', this.#config)];
  }

  /** In a thread: a large model's take seconds. While some are made, further ones are left out. */
  #draw({ step, path: checkpoint }: RunEvent & { event: 'checkpoint' }, time: number): void {
    if (this.#drawing || this.#hasFailed) return;
    this.#drawing = new Worker(new URL('./histogram-thread.js', import.meta.url), { workerData: checkpoint })
      .on('message', (values: SummaryValue[]) => this.#add('checkpoints', step, time, values))
      // The checkpoint may be pruned by now.
      .on('error', () => undefined)
      .on('exit', () => (this.#drawing = undefined));
  }

  #add(to: Part, step: number, time: number, values: readonly SummaryValue[]): void {
    if (this.#hasFailed || values.length === 0) return;
    try {
      this.#files[to].add(step, time, values, this.#isAnew ? 0 : step);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail({ message }: Error): void {
    if (!this.#hasFailed)
      process.stderr.write(
        `${this.#folder}: ${message}; the run goes on, and TensorBoard gets no more of it\n`,
      );
    this.#hasFailed = true;
  }
}
