import type { Config } from '../shared/config/schema.js';
import { augment } from '../shared/data/augment.js';
import type { Dataset } from '../shared/data/dataset.js';
import { batchIndices } from '../shared/data/order.js';
import { allocateClasses, bytesOf } from '../shared/method/classes.js';
import { PURPOSE, stream } from '../shared/random/philox.js';

/**
 * Which examples a slice of a step holds: a function of the seed and the step, so that a step dealt again carries the
 * same examples, and the number of committed steps is the whole data position.
 */
export class Sharder {
  readonly #config: Config;
  readonly #dataset: Dataset;
  /** Classes of an example. */
  readonly #size: number;

  constructor(config: Config, dataset: Dataset) {
    this.#config = config;
    this.#dataset = dataset;
    const [height, width, channels] = dataset.shape;
    this.#size = height * width * channels;
  }

  /** Examples a slice. */
  get sliceSize(): number {
    return this.#config.training.batch / this.#config.training.slices;
  }

  /** Passes over the training split once `step` steps are committed. */
  epochAt(step: number): number {
    const { batch } = this.#config.training;
    return step / Math.floor(this.#dataset.train.count / batch);
  }

  /** The bytes of the examples of slices [begin, end) of a step, cut out or augmented, one after another. */
  examples(step: number, begin: number, end: number): Uint8Array {
    const { seed, data, training } = this.#config;
    const indices = batchIndices(seed, this.#dataset.train.count, training.batch, step);
    const first = begin * this.sliceSize;
    const count = (end - begin) * this.sliceSize;
    const { train, shape, numClasses } = this.#dataset;
    const examples = allocateClasses(numClasses, count * this.#size);
    for (let i = 0; i < count; i++) {
      const example = examples.subarray(i * this.#size, (i + 1) * this.#size);
      const position = first + i;
      train.read(indices[position]!, example, stream(seed, PURPOSE.crop, step, position));
      augment(example, shape, data.augment, { seed, step, position });
    }
    return bytesOf(examples);
  }
}
