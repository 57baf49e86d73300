import type { InputArray, InputSpec } from '../engine/engine.js';
import type { Ops } from '../networks/ops.js';
import type { Tensor } from '../networks/tensors.js';
import type { Cumulative } from './cumulative.js';

/** An input that holds one number for each variable, [B,C,H,W]: a function of the variable's class and the stage. */
export interface VariableInput {
  readonly name: string;
  readonly dtype: 'int32' | 'float32';
  valueOf(x: number, stage: number): number;
}

/** Where the distribution of a variable stands in the network's outputs [B, numOutputs, locations]. */
export interface Place {
  readonly row: number;
  readonly channel: number;
  readonly location: number;
  readonly numLocations: number;
  /** The stage whose class is to be found; 0 where there is but one. */
  readonly stage: number;
  /** What is known of the variable so far: its class in the stage before. */
  readonly past: number;
  /** Classes of the position's channels before this one; for outputs whose channels depend on one another, but for `draw`. */
  readonly earlier?: ArrayLike<number>;
}

/** Random numbers that a draw takes, asked in turn. */
export interface Noise {
  /** A standard Gumbel draw for choice k; -Infinity may stand for one below `least`. */
  gumbel(k: number, least?: number): number;
  /** Uniform in (0, 1); for channel c of a position. */
  uniform(c: number): number;
}

/**
 * How the network's outputs are read as distributions of the variables (section 2.6), with stages where the model has them
 * (2.2, 2.3). What is trained on are tensors; what is sampled and coded are float64 numbers.
 */
export interface Output {
  /** Network outputs a location. */
  readonly numOutputs: number;
  /** `target`, and what else the likelihood reads of each variable. */
  readonly variableInputs: readonly VariableInput[];
  /** What the likelihood reads of each example. */
  exampleInputs(batch: number): readonly InputSpec[];
  /** Fills them for an example at a stage. */
  setExample(arrays: Readonly<Record<string, InputArray>>, row: number, stage: number): void;
  /**
   * Sum over all variables of `scored` * log p(target), nats, [B]; from the network's outputs [B, numOutputs, H, W] and the inputs above
   * besides `scored` float32 [B,C,H,W].
   */
  logLikelihood(ops: Ops, outputs: Tensor, inputs: Readonly<Record<string, Tensor>>): Tensor;
  /** Choices that a variable has: what `logProbabilities` lists. */
  readonly numChoices: number;
  /** Log-probabilities of a variable's choices, -Infinity for those that it does not have. Returns `into`, numChoices long. */
  logProbabilities(outputs: Float32Array, place: Place, into: Float64Array): Float64Array;
  /** The class that a choice leads to. */
  classOf(choice: number, place: Place): number;
  /** The distribution of what a variable becomes. Outputs must be finite. */
  cumulative(outputs: Float32Array, place: Place): Cumulative;
  /**
   * Draws the classes of one position's variables (one, or a pixel's channels) into `classes`, as the original draws them; `places` are theirs.
   */
  draw(outputs: Float32Array, places: readonly Place[], noise: Noise, classes: Int32Array): void;
}

/** Index of output n of a place. */
export function indexOf({ row, location, numLocations }: Place, numOutputs: number, n: number): number {
  return (row * numOutputs + n) * numLocations + location;
}

/**
 * Gumbel-max (section 1.5): the choice whose log-probability, or logit, plus noise is largest, the first of equals. Those of
 * -Infinity take no noise.
 */
export function drawChoice(values: Float64Array, gumbel: (k: number, least: number) => number): number {
  let best = 0;
  let largest = -Infinity;
  for (let k = 0; k < values.length; k++) {
    if (values[k] === -Infinity) continue;
    const perturbed = values[k]! + gumbel(k, largest - values[k]!);
    if (perturbed > largest) {
      largest = perturbed;
      best = k;
    }
  }
  return best;
}
