import type { TrainingConfig } from '../../shared/config/schema.js';

/** The published image settings, changed where a test says so. */
export const training = (settings: Partial<TrainingConfig> = {}): TrainingConfig => ({
  steps: 1000,
  batch: 128,
  slices: 1,
  learningRate: 1e-4,
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  clip: 100,
  ema: 0.9999,
  ...settings,
});
