import type { ModelConfig } from '../config/schema.js';
import type { Engine, Executable } from '../engine/engine.js';
import { stageAndTime } from '../method/bound.js';
import { allocateClasses, type Classes } from '../method/classes.js';
import { variablesByRank } from '../method/orders.js';
import { policyRange } from '../method/policy.js';
import type { Output, Place } from '../outputs/output.js';
import { stageMapOf, type ModelDescription } from './description.js';
import { exampleSize, ModelInputs } from './inputs.js';
import { outputsProgram } from './program.js';

/** An example that is being generated; it goes on changing. */
export interface State {
  /** Input classes: what is known of each variable in the stage, the absorbing class where nothing is. */
  readonly classes: Int32Array;
  /** 1 where something is known. */
  readonly known: Uint8Array;
}

/** A position that gets its classes: a variable, or a pixel's channels. */
export interface Choice {
  /** Which of the examples. */
  readonly nth: number;
  /** Which call. */
  readonly j: number;
  /** The position's first variable; the others follow. */
  readonly variable: number;
  readonly output: Output;
  /** What the network says of the position, to be read at `places`. */
  readonly outputs: Float32Array;
  /** One for each variable. */
  readonly places: readonly Place[];
}

/** Puts the classes of a position's variables into `classes`: drawn, decoded, or known beforehand. */
export type Chooser = (choice: Choice, classes: Int32Array) => void;

/** Up to a batch of examples to be generated together. */
export interface Generation {
  readonly parameters: Float32Array;
  /** Steps at which the network is called. */
  readonly policy: Int32Array;
  /** Ranks, for each example an order a stage. */
  readonly orders: readonly (readonly Int32Array[])[];
  readonly choose: Chooser;
  /**
   * What is told from the beginning: examples, one after another, whose positions of a rank below `numGiven` are so in each
   * stage. The policy then calls the network at steps from there on. The context is told in any case; absent, it is of class 0, as before a text begins.
   */
  readonly given?: { readonly examples: Classes; readonly numGiven: number };
  /** For each example the rank from which on positions stay unknown, in every stage; absent: all are generated. */
  readonly ends?: readonly number[];
  /** Row of the batch that the first example takes; the others follow, around its end. */
  readonly firstRow?: number;
  /** After call j: the examples so far, and the network's outputs. */
  readonly onStep?: (j: number, states: readonly State[], outputs: Float32Array) => void;
}

/** Positions whose outputs are gathered before their classes are chosen: what the caches hold. */
const TOGETHER = 64;

/**
 * Generates examples call by call of a policy (sections 1.5, 1.6 and 2.4). Sampling, coding and filling in differ in how
 * classes are chosen alone.
 */
export class ExampleGenerator {
  readonly #description: ModelDescription;
  readonly #executable: Executable;
  readonly #inputs: ModelInputs;
  readonly #batch: number;
  readonly #coarsen: (x: number, r: number) => number;
  readonly #outputs: Float32Array;
  /** Of positions of one example: [TOGETHER, numOutputs]. */
  readonly #gathered: Float32Array;
  /** Classes of one position. */
  readonly #chosen: Int32Array;

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
    this.#coarsen = stageMapOf(config, description.numClasses).coarsen;
    this.#outputs = new Float32Array(batch * numOutputs * height * width);
    this.#gathered = new Float32Array(TOGETHER * numOutputs);
    this.#chosen = new Int32Array(description.variablesPerPosition);
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<ExampleGenerator> {
    const executable = await engine.compile(outputsProgram(description, config, batch));
    return new ExampleGenerator(description, config, executable, batch);
  }

  /** Examples that fit into one batch, one after another. What stays unknown is of class 0. */
  async run(generation: Generation): Promise<Classes> {
    const { parameters, policy, orders, choose, given, ends, firstRow = 0, onStep } = generation;
    const { numPositions, numStages, numClasses } = this.#description;
    const size = exampleSize(this.#description);
    const rowOf = (nth: number) => (firstRow + nth) % this.#batch;
    const byRank = orders.map((stages) => stages.map(variablesByRank));
    const states = orders.map((_, nth) =>
      this.#begin(given?.examples.subarray(nth * size, (nth + 1) * size)),
    );
    for (const array of Object.values(this.#inputs.arrays)) array.fill(0);

    let toldStage = -1;
    for (let j = 0; j < policy.length; j++) {
      const [begin, next] = policyRange(policy, j, numStages * numPositions);
      const { stage, time } = stageAndTime(begin, numPositions);
      const end = Math.min(time + next - begin, numPositions);
      if (given && stage !== toldStage)
        states.forEach((state, nth) =>
          this.#tell(
            state,
            given.examples.subarray(nth * size, (nth + 1) * size),
            byRank[nth]![stage]!.subarray(0, given.numGiven),
            stage,
          ),
        );
      toldStage = stage;
      orders.forEach((stages, nth) =>
        this.#inputs.setState(rowOf(nth), states[nth]!.classes, stages[stage]!, begin),
      );
      await this.#executable.run({
        parameters,
        inputs: this.#inputs.arrays,
        outputs: { outputs: this.#outputs },
      });
      orders.forEach((stages, nth) => {
        const positions = byRank[nth]![stage]!.subarray(time, Math.min(end, ends?.[nth] ?? end));
        for (let i = 0; i < positions.length; i += TOGETHER) {
          const together = positions.subarray(i, i + TOGETHER);
          this.#gather(rowOf(nth), stages[stage]!, together);
          this.#choose(states[nth]!, stage, together, nth, j, choose);
        }
      });
      onStep?.(j, states, this.#outputs);
    }
    const examples = allocateClasses(numClasses, orders.length * size);
    states.forEach(({ classes, known }, nth) =>
      classes.forEach((x, v) => (examples[nth * size + v] = known[v] === 1 ? x : 0)),
    );
    return examples;
  }

  /** Nothing known but the context. */
  #begin(given: Classes | undefined): State {
    const { absorbing, numContext } = this.#description;
    const size = exampleSize(this.#description);
    const classes = new Int32Array(size).fill(absorbing).fill(0, 0, numContext);
    if (given) classes.set(given.subarray(0, numContext));
    return { classes, known: new Uint8Array(size).fill(1, 0, numContext) };
  }

  /** Puts given positions into the state, as coarse as they come out of a stage. */
  #tell({ classes, known }: State, example: Classes, positions: Int32Array, stage: number): void {
    const { variablesPerPosition, numContext, numStages } = this.#description;
    for (const position of positions) {
      const first = numContext + position * variablesPerPosition;
      for (let v = first; v < first + variablesPerPosition; v++) {
        classes[v] = this.#coarsen(example[v]!, numStages - 1 - stage);
        known[v] = 1;
      }
    }
  }

  /** Copies the outputs at the locations of positions: a choice reads every map there, each far from the next. */
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

  /** Gives the variables of positions whose outputs are gathered their classes. */
  #choose(
    { classes, known }: State,
    stage: number,
    positions: Int32Array,
    nth: number,
    j: number,
    choose: Chooser,
  ): void {
    const { variablesPerPosition, numContext, shape } = this.#description;
    const { output } = this.#inputs;
    const outputs = this.#gathered;
    for (let row = 0; row < positions.length; row++) {
      const first = numContext + positions[row]! * variablesPerPosition;
      const places: Place[] = [];
      for (let v = first; v < first + variablesPerPosition; v++) {
        const channel = v % shape[2];
        places.push({ row, channel, location: 0, numLocations: 1, stage, past: classes[v]! });
      }
      choose({ nth, j, variable: first, output, outputs, places }, this.#chosen);
      for (let i = 0; i < variablesPerPosition; i++) {
        classes[first + i] = this.#chosen[i]!;
        known[first + i] = 1;
      }
    }
  }
}
