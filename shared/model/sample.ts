import type { ModelConfig } from '../config/schema.js';
import type { Engine, Executable } from '../engine/engine.js';
import { stageAndTime } from '../method/bound.js';
import { allocateClasses, type Classes } from '../method/classes.js';
import { drawOrder, orderInSequence, variablesByRank } from '../method/orders.js';
import { policyRange } from '../method/policy.js';
import type { Noise, Place } from '../outputs/output.js';
import { PURPOSE, stream, type Random } from '../random/philox.js';
import type { ModelDescription } from './description.js';
import { exampleSize, ModelInputs } from './inputs.js';
import { outputsProgram } from './program.js';

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

/** An example that is being generated; it goes on changing. */
export interface State {
  /** Input classes: what is known of each variable in the stage, the absorbing class where nothing is. */
  readonly classes: Int32Array;
  /** 1 where something is known. */
  readonly known: Uint8Array;
}

/** The draws of up to a batch of examples, and who watches them grow. */
export interface Generation {
  readonly parameters: Float32Array;
  readonly policy: Int32Array;
  /** Ranks, for each example an order a stage. */
  readonly orders: readonly (readonly Int32Array[])[];
  /** The noise of example `nth` when call `j` generates a variable. */
  readonly noise: (nth: number, j: number, variable: number) => Noise;
  /** Row of the batch that the first example takes; the others follow, around its end. */
  readonly firstRow?: number;
  /** After call j: the examples so far, and the network's outputs. */
  readonly onStep?: (j: number, states: readonly State[], outputs: Float32Array) => void;
}

/** Positions that are drawn before the next ones' outputs are gathered: what the caches hold. */
const TOGETHER = 64;

/** Generates examples (sections 1.5, 1.6 and 2.4): as many network calls as the policy has steps. */
export class Sampler {
  readonly #description: ModelDescription;
  readonly #executable: Executable;
  readonly #inputs: ModelInputs;
  readonly #batch: number;
  readonly #outputs: Float32Array;
  /** Of positions of one example: [TOGETHER, numOutputs]. */
  readonly #gathered: Float32Array;
  /** Classes of one position. */
  readonly #drawn: Int32Array;

  private constructor(
    description: ModelDescription,
    config: ModelConfig,
    executable: Executable,
    batch: number,
  ) {
    const { height, width, numOutputs } = description.networkShape;
    this.#description = description;
    this.#executable = executable;
    this.#inputs = new ModelInputs(description, config, executable.program);
    this.#batch = batch;
    this.#outputs = new Float32Array(batch * numOutputs * height * width);
    this.#gathered = new Float32Array(TOGETHER * numOutputs);
    this.#drawn = new Int32Array(description.variablesPerPosition);
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<Sampler> {
    const executable = await engine.compile(outputsProgram(description, config, batch));
    return new Sampler(description, config, executable, batch);
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
      const noises = randoms.map((random): Noise => ({
        gumbel: (_, least) => random.gumbel(least),
        uniform: () => random.inside(),
      }));
      const generated = await this.generate({
        parameters,
        policy,
        orders: randoms.map((random) => drawOrders(random, this.#description)),
        noise: (nth) => noises[nth]!,
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

  /** Examples from given orders and noise, one after another. A context is of class 0, as before a text begins. */
  async generate(generation: Generation): Promise<Classes> {
    const { parameters, policy, orders, noise, firstRow = 0, onStep } = generation;
    const { numPositions, numStages, numContext, absorbing, numClasses } = this.#description;
    const size = exampleSize(this.#description);
    const rowOf = (nth: number) => (firstRow + nth) % this.#batch;
    const byRank = orders.map((stages) => stages.map(variablesByRank));
    const states = orders.map((): State => ({
      classes: new Int32Array(size).fill(absorbing).fill(0, 0, numContext),
      known: new Uint8Array(size).fill(1, 0, numContext),
    }));
    for (const array of Object.values(this.#inputs.arrays)) array.fill(0);

    for (let j = 0; j < policy.length; j++) {
      const [begin, end] = policyRange(policy, j, numStages * numPositions);
      const { stage, time } = stageAndTime(begin, numPositions);
      orders.forEach((stages, nth) =>
        this.#inputs.setState(rowOf(nth), states[nth]!.classes, stages[stage]!, begin),
      );
      await this.#executable.run({
        parameters,
        inputs: this.#inputs.arrays,
        outputs: { outputs: this.#outputs },
      });
      orders.forEach((stages, nth) => {
        const positions = byRank[nth]![stage]!.subarray(time, time + end - begin);
        for (let i = 0; i < positions.length; i += TOGETHER) {
          const together = positions.subarray(i, i + TOGETHER);
          this.#gather(rowOf(nth), stages[stage]!, together);
          this.#draw(states[nth]!, stage, together, (v) => noise(nth, j, v));
        }
      });
      onStep?.(j, states, this.#outputs);
    }
    const examples = allocateClasses(numClasses, orders.length * size);
    states.forEach(({ classes }, nth) => examples.set(classes, nth * size));
    return examples;
  }

  /** Copies the outputs at the locations of positions: a draw reads every map there, each far from the next. */
  #gather(row: number, order: Int32Array, positions: Int32Array): void {
    const { variablesPerPosition, numContext, networkShape, shape } = this.#description;
    const { numOutputs } = networkShape;
    const numLocations = shape[0] * shape[1];
    const locations = positions.map((position) =>
      this.#inputs.locationOf(numContext + position * variablesPerPosition, order),
    );
    for (let n = 0; n < numOutputs; n++) {
      const map = (row * numOutputs + n) * numLocations;
      for (let i = 0; i < locations.length; i++)
        this.#gathered[i * numOutputs + n] = this.#outputs[map + locations[i]!]!;
    }
  }

  /** Draws the variables of positions whose outputs are gathered into the state. */
  #draw(
    { classes, known }: State,
    stage: number,
    positions: Int32Array,
    noise: (variable: number) => Noise,
  ): void {
    const { variablesPerPosition, numContext, shape } = this.#description;
    const drawn = this.#drawn;
    for (let row = 0; row < positions.length; row++) {
      const first = numContext + positions[row]! * variablesPerPosition;
      const places: Place[] = [];
      for (let v = first; v < first + variablesPerPosition; v++) {
        const channel = v % shape[2];
        places.push({ row, channel, location: 0, numLocations: 1, stage, past: classes[v]! });
      }
      this.#inputs.output.draw(this.#gathered, places, noise(first), drawn);
      for (let nth = 0; nth < variablesPerPosition; nth++) {
        classes[first + nth] = drawn[nth]!;
        known[first + nth] = 1;
      }
    }
  }
}

/** An order a stage: random, or in sequence where the model generates left to right. */
function drawOrders(random: Random, description: ModelDescription): Int32Array[] {
  const { numStages, numPositions, networkShape } = description;
  return Array.from({ length: numStages }, () =>
    networkShape.factorization === 'left-to-right'
      ? orderInSequence(numPositions)
      : drawOrder(random, numPositions),
  );
}
