import type { ModelConfig } from '../config/schema.js';
import { PURPOSE, stream, type Purpose } from '../random/philox.js';
import { shuffle } from '../random/shuffle.js';

export type TimeStepMode = ModelConfig['timeSteps'];

/**
 * The time steps of a whole batch, each uniform over 0..numVariables-1 (section 1.3): a function of (seed, step) alone, of
 * which whoever computes a part of the batch takes its rows. `antithetic` spreads them evenly: with g = gcd(batch,
 * numVariables), batch / g random offsets below numVariables / g, each with its g equally spaced companions, shuffled.
 */
export function drawTimeSteps(
  mode: TimeStepMode,
  seed: number,
  step: number,
  batch: number,
  numVariables: number,
  purpose: Purpose = PURPOSE.timeStep,
): Int32Array {
  const timeSteps = new Int32Array(batch);
  if (mode === 'uniform')
    return timeSteps.map((_, position) => stream(seed, purpose, step, position).below(numVariables));

  const random = stream(seed, purpose, step);
  const companions = greatestCommonDivisor(batch, numVariables);
  const spacing = numVariables / companions;
  for (let first = 0; first < batch; first += companions) {
    const offset = random.below(spacing);
    for (let j = 0; j < companions; j++) timeSteps[first + j] = offset + spacing * j;
  }
  shuffle(random, timeSteps);
  return timeSteps;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
