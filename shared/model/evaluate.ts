import type { ModelConfig } from '../config/schema.js';
import type { Engine, Executable } from '../engine/engine.js';
import { boundOf, stageAndTime } from '../method/bound.js';
import type { Classes } from '../method/classes.js';
import type { ModelDescription } from './description.js';
import { checkExamples, exampleSize, ModelInputs } from './inputs.js';
import { likelihoodProgram } from './program.js';

export interface EvaluationCall {
  readonly parameters: Float32Array;
  /** At most a batch of examples. */
  readonly examples: Classes;
  /** Ranks, one order an example. */
  readonly orders: Int32Array;
  /** Steps over all stages. */
  readonly timeSteps: Int32Array;
  /** Scores the steps from the time step up to here, for one fixed order; all that is unknown in its stage where absent. */
  readonly ends?: Int32Array;
}

/** One-sample estimates of each example (`Bound`), bits per dimension. */
export interface Bounds {
  readonly elbo: Float64Array;
  readonly elboOfT: Float64Array;
  readonly nce: Float64Array;
}

/** The evidence lower bound of examples, for given orders and time steps (section 1.7). */
export class Evaluator {
  readonly #description: ModelDescription;
  readonly #executable: Executable;
  readonly #inputs: ModelInputs;
  readonly #logLikelihood: Float32Array;

  private constructor(
    description: ModelDescription,
    config: ModelConfig,
    executable: Executable,
    batch: number,
  ) {
    this.#description = description;
    this.#executable = executable;
    this.#inputs = new ModelInputs(description, config, executable.program);
    this.#logLikelihood = new Float32Array(batch);
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<Evaluator> {
    const executable = await engine.compile(likelihoodProgram(description, config, batch));
    return new Evaluator(description, config, executable, batch);
  }

  /** Throws UserError where the examples do not fit the model. */
  async run({ parameters, examples, orders, timeSteps, ends }: EvaluationCall): Promise<Bounds> {
    const { numPositions } = this.#description;
    const size = exampleSize(this.#description);
    const count = timeSteps.length;
    checkExamples(examples, count, this.#description);
    if (count > this.#logLikelihood.length || orders.length !== count * numPositions)
      throw new RangeError(
        `${count} time steps and ${orders.length} ranks of ${numPositions} positions in a batch of ${this.#logLikelihood.length}`,
      );
    // The rows beyond a short batch are computed too; the same every time.
    for (const array of Object.values(this.#inputs.arrays)) array.fill(0);
    for (let row = 0; row < count; row++) {
      const example = examples.subarray(row * size, (row + 1) * size);
      const order = orders.subarray(row * numPositions, (row + 1) * numPositions);
      const step = timeSteps[row]!;
      const { stage, time } = stageAndTime(step, numPositions);
      const end = (ends?.[row] ?? (stage + 1) * numPositions) - stage * numPositions;
      this.#inputs.setExample(row, example, order, step);
      this.#inputs.setScored(row, example, order, step, time, end);
    }
    const outputs = { logLikelihood: this.#logLikelihood };
    await this.#executable.run({ parameters, inputs: this.#inputs.arrays, outputs });

    const bounds = Array.from(timeSteps, (timeStep, row) =>
      boundOf(this.#logLikelihood[row]!, timeStep, this.#description),
    );
    return {
      elbo: Float64Array.from(bounds, ({ elbo }) => elbo),
      elboOfT: Float64Array.from(bounds, ({ elboOfT }) => elboOfT),
      nce: Float64Array.from(bounds, ({ nce }) => nce),
    };
  }
}
