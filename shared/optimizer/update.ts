import type { TrainingConfig } from '../config/schema.js';
import { learningRateAt } from '../method/schedule.js';

/**
 * The numbers of one optimizer step. They are computed once, by whoever averages, and travel to every replica as float64;
 * `Replica.apply` rounds them to float32.
 *
 *     g = clipFactor * gradient
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g^2
 *     p = p - learningRate * (correction1 * m / (sqrt(correction2 * v) + epsilon) + weightDecay * p)
 *     e = ema * e + (1 - ema) * p
 */
export interface Update {
  /** Steps taken before this one. */
  readonly step: number;
  readonly clipFactor: number;
  readonly learningRate: number;
  /** 1 / (1 - beta1^(step + 1)) */
  readonly correction1: number;
  /** 1 / (1 - beta2^(step + 1)) */
  readonly correction2: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Decay of the moving average. */
  readonly ema: number;
}

/**
 * Decides the numbers of a step: clipping by the global norm `sqrt(squaredNorm + 1e-10)` of the averaged gradient, and the
 * learning rate with linear warm-up, by which the very first update has rate 0.
 */
export function planUpdate(training: TrainingConfig, step: number, squaredNorm: number): Update {
  const { beta1, beta2, epsilon, weightDecay, ema, clip } = training;
  return {
    step,
    clipFactor: Math.min(1, clip / Math.sqrt(squaredNorm + 1e-10) + 1e-10),
    learningRate: learningRateAt(training, step),
    correction1: 1 / (1 - power(beta1, step + 1)),
    correction2: 1 / (1 - power(beta2, step + 1)),
    beta1,
    beta2,
    epsilon,
    weightDecay,
    ema,
  };
}

/** By squaring: unlike Math.pow, whose last bit is the machine's choice, the same wherever a run is resumed. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let rest = exponent, square = base; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}
