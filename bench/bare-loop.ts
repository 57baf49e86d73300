import type { Config } from '../shared/config/schema.js';
import type { Dataset } from '../shared/data/dataset.js';
import { batchIndices } from '../shared/data/order.js';
import type { Engine } from '../shared/engine/engine.js';
import type { ModelDescription } from '../shared/model/description.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { SliceTrainer } from '../shared/model/train-slice.js';

/** The engine alone: slices one after another, without messages, sums or updates. */
export class BareLoop {
  readonly #config: Config;
  readonly #dataset: Dataset;
  readonly #trainer: SliceTrainer;
  readonly #sliceSize: number;
  readonly #parameters: Float32Array;
  readonly #gradients: Float32Array;

  private constructor(
    config: Config,
    dataset: Dataset,
    trainer: SliceTrainer,
    sliceSize: number,
    numParameters: number,
  ) {
    this.#config = config;
    this.#dataset = dataset;
    this.#trainer = trainer;
    this.#sliceSize = sliceSize;
    this.#parameters = new Float32Array(numParameters);
    this.#gradients = new Float32Array(numParameters);
  }

  static async create(
    engine: Engine,
    model: ModelDescription,
    config: Config,
    dataset: Dataset,
    sliceSize: number,
  ): Promise<BareLoop> {
    const { seed, training } = config;
    const { batch } = training;
    const trainer = await SliceTrainer.create(engine, model, config.model, { batch, sliceSize, seed });
    const loop = new BareLoop(config, dataset, trainer, sliceSize, model.numParameters);
    initializeParameters(model.parameters, seed, loop.#parameters);
    return loop;
  }

  /** Computes the first `numImages` of a step's batch; seconds. */
  async run(step: number, numImages: number): Promise<number> {
    const { seed, training } = this.#config;
    const { train, shape } = this.#dataset;
    const size = shape.reduce((a, b) => a * b, 1);
    const indices = batchIndices(seed, train.count, training.batch, step);
    const started = performance.now();
    for (let first = 0; first < numImages; first += this.#sliceSize) {
      const examples = new Uint8Array(this.#sliceSize * size);
      for (let nth = 0; nth < this.#sliceSize; nth++) {
        train.read(indices[first + nth]!, examples.subarray(nth * size, (nth + 1) * size));
      }
      await this.#trainer.run({
        parameters: this.#parameters,
        gradients: this.#gradients,
        step,
        firstPosition: first,
        examples,
      });
    }
    return (performance.now() - started) / 1000;
  }
}
