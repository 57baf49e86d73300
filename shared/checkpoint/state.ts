/** The arrays of a training's state: float32, one element a parameter, in memory order. */
export interface TrainingState {
  readonly parameters: Float32Array;
  /** Adam's mean gradient. */
  readonly firstMoment: Float32Array;
  /** Adam's mean squared gradient. */
  readonly secondMoment: Float32Array;
  /** Moving average of the parameters. */
  readonly ema: Float32Array;
}

export type StateArray = keyof TrainingState;

/** The file of each array in a checkpoint: the same tensors in all four. */
export const FILES: Readonly<Record<StateArray, string>> = {
  parameters: 'parameters.safetensors',
  firstMoment: 'first-moment.safetensors',
  secondMoment: 'second-moment.safetensors',
  ema: 'ema.safetensors',
};

export const ARRAYS = Object.keys(FILES) as readonly StateArray[];
