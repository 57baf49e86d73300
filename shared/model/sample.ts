import type { ModelConfig } from '../config/schema.js';
import type { Engine, Executable } from '../engine/engine.js';
import { drawClass } from '../method/categorical.js';
import { drawOrder, variablesByRank } from '../method/orders.js';
import { policyRange } from '../method/policy.js';
import { PURPOSE, stream } from '../random/philox.js';
import type { ModelDescription } from './description.js';
import { ModelInputs } from './inputs.js';
import { logitsProgram } from './program.js';

export interface SampleCall {
  readonly parameters: Float32Array;
  readonly seed: number;
  /** Index of the first example. */
  readonly first: number;
  readonly count: number;
  /** Times at which the network is called (`naivePolicy`). */
  readonly policy: Int32Array;
}

/** The draws of up to a batch of examples, and who watches them grow. */
export interface Generation {
  readonly parameters: Float32Array;
  readonly policy: Int32Array;
  /** Ranks, one order an example. */
  readonly orders: readonly Int32Array[];
  /** Standard Gumbel noise, asked for each class of each variable of example `nth` when call `j` generates it. */
  readonly noise: (nth: number, j: number, variable: number, k: number) => number;
  /** Row of the batch that the first example takes; the others follow, around its end. */
  readonly firstRow?: number;
  /** After call j: the examples so far, of which only ranks below the next time are drawn, and the logits. */
  readonly onStep?: (j: number, examples: Uint8Array, logits: Float32Array) => void;
}

/** Generates examples (sections 1.5 and 1.6): as many network calls as the policy has times. */
export class Sampler {
  readonly #description: ModelDescription;
  readonly #executable: Executable;
  readonly #inputs: ModelInputs;
  readonly #batch: number;
  readonly #logits: Float32Array;

  private constructor(description: ModelDescription, executable: Executable, batch: number) {
    const { numVariables, numClasses } = description;
    this.#description = description;
    this.#executable = executable;
    this.#inputs = new ModelInputs(description, executable.program);
    this.#batch = batch;
    this.#logits = new Float32Array(batch * numVariables * numClasses);
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<Sampler> {
    const executable = await engine.compile(logitsProgram(description, config, batch));
    return new Sampler(description, executable, batch);
  }

  /**
   * Examples first..first+count-1, one byte a variable, one after another. Given the batch, each is a function of
   * (seed, its index), however the indices are cut into calls.
   */
  async run({ parameters, seed, first, count, policy }: SampleCall): Promise<Uint8Array> {
    const { numVariables } = this.#description;
    const examples = new Uint8Array(count * numVariables);
    for (let done = 0; done < count; done += this.#batch) {
      const length = Math.min(this.#batch, count - done);
      const randoms = Array.from({ length }, (_, nth) => stream(seed, PURPOSE.sample, first + done + nth));
      const generated = await this.generate({
        parameters,
        policy,
        orders: randoms.map((random) => drawOrder(random, numVariables)),
        noise: (nth) => randoms[nth]!.gumbel(),
        // Some operations give other bits at another place in the batch.
        firstRow: (first + done) % this.#batch,
      });
      examples.set(generated, done * numVariables);
    }
    return examples;
  }

  /** Examples from given orders and noise, one byte a variable, one after another. */
  async generate(generation: Generation): Promise<Uint8Array> {
    const { parameters, policy, orders, noise, firstRow = 0, onStep } = generation;
    const { numVariables, numClasses, shape } = this.#description;
    const [height, width, channels] = shape;
    const locations = height * width;
    const generated = orders.map(variablesByRank);
    const examples = new Uint8Array(orders.length * numVariables);
    const rowOf = (nth: number) => (firstRow + nth) % this.#batch;
    const exampleOf = (nth: number) => examples.subarray(nth * numVariables, (nth + 1) * numVariables);
    for (const array of Object.values(this.#inputs.arrays)) array.fill(0);

    for (let j = 0; j < policy.length; j++) {
      const [begin, end] = policyRange(policy, j, numVariables);
      orders.forEach((order, nth) => this.#inputs.setKnown(rowOf(nth), exampleOf(nth), order, begin));
      const outputs = { logits: this.#logits };
      await this.#executable.run({ parameters, inputs: this.#inputs.arrays, outputs });
      orders.forEach((_, nth) => {
        for (const variable of generated[nth]!.subarray(begin, end)) {
          const channel = variable % channels;
          const location = Math.floor(variable / channels);
          const offset = (rowOf(nth) * channels + channel) * numClasses * locations + location;
          const draw = (k: number) => noise(nth, j, variable, k);
          exampleOf(nth)[variable] = drawClass(this.#logits, offset, locations, numClasses, draw);
        }
      });
      onStep?.(j, examples, this.#logits);
    }
    return examples;
  }
}
