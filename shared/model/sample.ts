import type { ModelConfig } from '../config/schema.js';
import type { Engine } from '../engine/engine.js';
import { allocateClasses, type Classes } from '../method/classes.js';
import { drawOrder, orderInSequence } from '../method/orders.js';
import { quantile } from '../outputs/cumulative.js';
import type { Noise } from '../outputs/output.js';
import { PURPOSE, stream, type Random } from '../random/philox.js';
import type { ModelDescription } from './description.js';
import { oneByOne } from './choices.js';
import { ExampleGenerator, type Chooser, type State } from './generator.js';
import { exampleSize } from './inputs.js';

export interface SampleCall {
  readonly parameters: Float32Array;
  readonly seed: number;
  /** Index of the first example. */
  readonly first: number;
  readonly count: number;
  /** Steps at which the network is called (`naivePolicy`, `planPolicy`). */
  readonly policy: Int32Array;
  /** After call j for a batch: its first example's index, and the examples so far. */
  readonly onStep?: (j: number, first: number, states: readonly State[]) => void;
}

/** Draws examples from a model. */
export class Sampler {
  readonly #description: ModelDescription;
  readonly #generator: ExampleGenerator;
  readonly #batch: number;

  private constructor(description: ModelDescription, generator: ExampleGenerator, batch: number) {
    this.#description = description;
    this.#generator = generator;
    this.#batch = batch;
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<Sampler> {
    return new Sampler(description, await ExampleGenerator.create(engine, description, config, batch), batch);
  }

  /**
   * Examples first..first+count-1, one after another. Given the batch, each is a function of (seed, its index), however the
   * indices are cut into calls.
   */
  async run({ parameters, seed, first, count, policy, onStep }: SampleCall): Promise<Classes> {
    const size = exampleSize(this.#description);
    const examples = allocateClasses(this.#description.numClasses, count * size);
    for (let done = 0; done < count; done += this.#batch) {
      const length = Math.min(this.#batch, count - done);
      const randoms = Array.from({ length }, (_, nth) => stream(seed, PURPOSE.sample, first + done + nth));
      const generated = await this.#generator.run({
        parameters,
        policy,
        orders: randoms.map((random) => drawOrders(random, this.#description)),
        choose: drawnBy(randoms),
        // Some operations give other bits at another place in the batch.
        firstRow: (first + done) % this.#batch,
        ...(onStep && {
          onStep: (j: number, states: readonly State[]) => onStep(j, first + done, states),
        }),
      });
      examples.set(generated, done * size);
    }
    return examples;
  }
}

/**
 * Draws each variable's class by the inverse of its cumulative distribution, from one uniform number in (0, 1) of the example's own. Network
 * outputs of the same bits give the same classes on every machine and JavaScript engine.
 */
export function drawnBy(randoms: readonly Random[]): Chooser {
  return oneByOne((cumulative, { nth }) => quantile(cumulative, randoms[nth]!.inside()));
}

/** Draws classes as the original does, with the noise of an example, a call and the position's first variable. */
export function drawnWith(noise: (nth: number, j: number, variable: number) => Noise): Chooser {
  return ({ nth, j, variable, output, outputs, places }, classes) =>
    output.draw(outputs, places, noise(nth, j, variable), classes);
}

/** An order a stage: random, or in sequence where the model generates left to right. */
export function drawOrders(random: Random, description: ModelDescription): Int32Array[] {
  const { numStages, numPositions, networkShape } = description;
  return Array.from({ length: numStages }, () =>
    networkShape.factorization === 'left-to-right'
      ? orderInSequence(numPositions)
      : drawOrder(random, numPositions),
  );
}
