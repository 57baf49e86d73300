import { stageAndTime, trainingWeight } from '../../shared/method/bound.js';
import type { Classes } from '../../shared/method/classes.js';
import type { ModelInputs } from '../../shared/model/inputs.js';
import type { CaseModel } from './model.js';

/** One example's part of a batch. */
export function rowOf<T extends Int32Array | Classes>(values: T, row: number, length: number): T {
  return values.subarray(row * length, (row + 1) * length) as T;
}

/** Fills a row of a training program's inputs with an example, its order and its step. */
export function setTrainingRow(
  inputs: ModelInputs,
  { config, description }: CaseModel,
  row: number,
  batch: number,
  example: Classes,
  order: Int32Array,
  step: number,
): void {
  const { time } = stageAndTime(step, description.numPositions);
  inputs.setExample(row, example, order, step);
  inputs.setScored(row, example, order, step, time, description.numPositions);
  inputs.arrays.weight![row] = trainingWeight(step, description, config.ceWeight) / batch;
}
