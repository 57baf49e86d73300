import type { ParameterSpec } from '../networks/network.js';
import type { TensorSpec } from './tensor-file.js';

/** The arrays of a training's state: float32, one element a parameter, in memory order, but for the components. */
export interface TrainingState {
  readonly parameters: Float32Array;
  /** Adam's mean gradient. */
  readonly firstMoment: Float32Array;
  /** Adam's mean squared gradient. */
  readonly secondMoment: Float32Array;
  /** Moving average of the parameters. */
  readonly ema: Float32Array;
  /** The loss components: float64, one a time step, NaN where none was seen. */
  readonly components: Float64Array;
}

export type StateArray = keyof TrainingState;

/** The file of each array in a checkpoint. */
export const FILES: Readonly<Record<StateArray, string>> = {
  parameters: 'parameters.safetensors',
  firstMoment: 'first-moment.safetensors',
  secondMoment: 'second-moment.safetensors',
  ema: 'ema.safetensors',
  components: 'components.safetensors',
};

/** What the averages that were published so far lack, in checkpoints of runs whose codec keeps it (`exchange.codec`). */
export const RESIDUAL_FILE = 'residual.safetensors';

export const ARRAYS = Object.keys(FILES) as readonly StateArray[];

/** The model that a state is of. */
export interface StateModel {
  readonly parameters: readonly ParameterSpec[];
  /** Loss components. */
  readonly numSteps: number;
}

/** The tensors in the file of an array: those of the model, and of the components a single one. */
export function tensorsOf(array: StateArray, { parameters, numSteps }: StateModel): readonly TensorSpec[] {
  if (array !== 'components') return parameters;
  return [{ name: 'components', dtype: 'F64', shape: [numSteps], originalShape: [numSteps] }];
}
