import type { TrainingConfig } from '../config/schema.js';

/** The learning rate of a step (from 0): linear warm-up over `warmupSteps`, during which step 0 stands still, then constant. */
export function learningRateAt(
  { learningRate, warmupSteps }: Pick<TrainingConfig, 'learningRate' | 'warmupSteps'>,
  step: number,
): number {
  return step < warmupSteps ? (learningRate * step) / warmupSteps : learningRate;
}
