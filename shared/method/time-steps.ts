import type { ModelConfig } from '../config/schema.js';
import { PURPOSE, stream, type Purpose, type Random } from '../random/philox.js';
import { shuffle } from '../random/shuffle.js';

export type TimeStepMode = ModelConfig['timeSteps'];

/** The steps that are drawn from: `numSteps`, in stages of equally many. */
export interface Steps {
  readonly numSteps: number;
  readonly numStages: number;
}

/**
 * The steps of a whole batch, each uniform over 0..numSteps-1 (sections 1.3 and 2.4): a function of (seed, step) alone, of which
 * whoever computes a part of the batch takes its rows. `antithetic` spreads the stages, and the times within a stage, evenly.
 */
export function drawTimeSteps(
  mode: TimeStepMode,
  seed: number,
  step: number,
  batch: number,
  { numSteps, numStages }: Steps,
  purpose: Purpose = PURPOSE.timeStep,
): Int32Array {
  if (mode === 'uniform')
    return Int32Array.from({ length: batch }, (_, position) =>
      stream(seed, purpose, step, position).below(numSteps),
    );
  const random = stream(seed, purpose, step);
  const numTimes = numSteps / numStages;
  const times = drawSpread(random, batch, numTimes);
  if (numStages === 1) return times;
  const stages = drawSpread(random, batch, numStages);
  return times.map((time, position) => stages[position]! * numTimes + time);
}

/**
 * `batch` draws, each uniform below `range`, spread evenly: with g = gcd(batch, range), batch / g random offsets below
 * range / g, each with its g equally spaced companions, shuffled.
 */
function drawSpread(random: Random, batch: number, range: number): Int32Array {
  const draws = new Int32Array(batch);
  const companions = greatestCommonDivisor(batch, range);
  const spacing = range / companions;
  for (let first = 0; first < batch; first += companions) {
    const offset = random.below(spacing);
    for (let j = 0; j < companions; j++) draws[first + j] = offset + spacing * j;
  }
  shuffle(random, draws);
  return draws;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
