import type { ModelConfig } from '../config/schema.js';
import type { Engine, Executable } from '../engine/engine.js';
import { stageAndTime, trainingWeight } from '../method/bound.js';
import type { Classes } from '../method/classes.js';
import { drawOrder } from '../method/orders.js';
import { drawTimeSteps } from '../method/time-steps.js';
import { createNetwork } from '../networks/create.js';
import type { DropoutSpec } from '../networks/network.js';
import { addInto } from '../optimizer/sum.js';
import { PURPOSE, stream } from '../random/philox.js';
import type { ModelDescription } from './description.js';
import { checkExamples, exampleSize, ModelInputs } from './inputs.js';
import { partOf } from './part.js';
import { trainingProgram } from './program.js';

export interface TrainingSetup {
  /** Examples a step, over all slices. */
  readonly batch: number;
  readonly sliceSize: number;
  readonly seed: number;
}

export interface SliceCall {
  readonly parameters: Float32Array;
  /** Overwritten with the gradient of the slice's part of the batch's mean loss: the sum over slices is the batch's. */
  readonly gradients: Float32Array;
  readonly step: number;
  /** Position in the batch of the slice's first example. */
  readonly firstPosition: number;
  /** sliceSize examples. */
  readonly examples: Classes;
}

export interface SliceStatistics {
  readonly timeSteps: Int32Array;
  /** Nats of each example's unknown variables: what `boundOf` and `summarize` take. */
  readonly logLikelihoods: Float64Array;
}

/**
 * Loss and gradients of one slice of a batch (section 1.3). Every draw is a function of (seed, step, position in the
 * batch), so that it does not matter who computes which slice.
 */
export class SliceTrainer {
  readonly #description: ModelDescription;
  readonly #config: ModelConfig;
  readonly #setup: TrainingSetup;
  readonly #executable: Executable;
  /** Examples that the network takes at once. */
  readonly #part: number;
  readonly #inputs: ModelInputs;
  readonly #order: Int32Array;
  readonly #dropouts: readonly DropoutSpec[];
  readonly #outputs: { readonly logLikelihood: Float32Array; readonly loss: Float32Array };
  /** Gradients of a part after the first. */
  readonly #partGradients: Float32Array;

  private constructor(
    description: ModelDescription,
    config: ModelConfig,
    setup: TrainingSetup,
    executable: Executable,
    part: number,
  ) {
    this.#description = description;
    this.#config = config;
    this.#setup = setup;
    this.#executable = executable;
    this.#part = part;
    this.#inputs = new ModelInputs(description, config, executable.program);
    this.#dropouts = createNetwork(config.network, description.networkShape).dropouts;
    this.#order = new Int32Array(description.numPositions);
    this.#outputs = { logLikelihood: new Float32Array(part), loss: new Float32Array(1) };
    this.#partGradients = new Float32Array(part < setup.sliceSize ? description.numParameters : 0);
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    setup: TrainingSetup,
  ): Promise<SliceTrainer> {
    const part = partOf(setup.sliceSize, description, config, engine.mapBytes ?? Infinity);
    const executable = await engine.compile(trainingProgram(description, config, part));
    return new SliceTrainer(description, config, setup, executable, part);
  }

  /** Throws UserError where the examples do not fit the model. */
  async run({ parameters, gradients, step, firstPosition, examples }: SliceCall): Promise<SliceStatistics> {
    const { batch, sliceSize, seed } = this.#setup;
    const size = exampleSize(this.#description);
    checkExamples(examples, sliceSize, this.#description);
    if (firstPosition + sliceSize > batch)
      throw new RangeError(
        `positions ${firstPosition} to ${firstPosition + sliceSize - 1} in a batch of ${batch}`,
      );
    const timeSteps = drawTimeSteps(this.#config.timeSteps, seed, step, batch, this.#description).slice(
      firstPosition,
      firstPosition + sliceSize,
    );
    const logLikelihoods = new Float64Array(sliceSize);
    for (let first = 0; first < sliceSize; first += this.#part) {
      for (let row = 0; row < this.#part; row++) {
        const nth = first + row;
        const example = examples.subarray(nth * size, (nth + 1) * size);
        this.#setRow(row, example, timeSteps[nth]!, step, firstPosition + nth);
      }
      const into = first === 0 ? gradients : this.#partGradients;
      const outputs = { ...this.#outputs };
      await this.#executable.run({ parameters, gradients: into, inputs: this.#inputs.arrays, outputs });
      if (first > 0) addInto(gradients, into);
      logLikelihoods.set(this.#outputs.logLikelihood, first);
    }
    return { timeSteps, logLikelihoods };
  }

  #setRow(row: number, example: Classes, timeStep: number, step: number, position: number): void {
    const { batch, seed } = this.#setup;
    const { numPositions } = this.#description;
    const { arrays } = this.#inputs;
    const order = drawOrder(stream(seed, PURPOSE.order, step, position), numPositions, this.#order);
    const { time } = stageAndTime(timeStep, numPositions);
    this.#inputs.setExample(row, example, order, timeStep);
    this.#inputs.setScored(row, example, order, timeStep, time, numPositions);
    const { ceWeight } = this.#config;
    arrays.weight![row] = trainingWeight(timeStep, this.#description, ceWeight) / batch;

    const random = stream(seed, PURPOSE.dropout, step, position);
    for (const [nth, { keep }] of this.#dropouts.entries()) {
      const mask = arrays[`dropout${nth}`]!;
      const size = mask.length / this.#part;
      const keepBelow = keep * 2 ** 32;
      for (let i = row * size; i < (row + 1) * size; i++) mask[i] = random.uint32() < keepBelow ? 1 : 0;
    }
  }
}
