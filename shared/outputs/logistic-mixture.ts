import { valueOf, type Bins } from './logistic-bins.js';

/** How near to 0 and 1 the probability whose quantile is a draw's noise may come. */
export const LEAST_PROBABILITY = 1e-5;

/** A mixture of M logistics for one variable, float64. */
export interface Mixture {
  readonly logits: Float64Array;
  readonly means: Float64Array;
  readonly inverseScales: Float64Array;
}

export function allocateMixture(numMixtures: number): Mixture {
  return {
    logits: new Float64Array(numMixtures),
    means: new Float64Array(numMixtures),
    inverseScales: new Float64Array(numMixtures),
  };
}

/** Log-probabilities of all classes, as `mixtureLogLikelihood` defines them. Returns `into`, numClasses long. */
export function mixtureLogProbabilities(
  { logits, means, inverseScales }: Mixture,
  bins: Bins,
  into: Float64Array,
): Float64Array {
  const { numClasses, halfWidth, numEdges, logFloor } = bins;
  const total = logSumExp(logits);
  const logWidths = inverseScales.map((scale) => Math.log(-Math.expm1(-2 * halfWidth * scale)));
  /** log sigmoid(-u) of the last class's upper end u, which is the next one's lower end. */
  const above = new Float64Array(logits.length);
  const weighted = new Float64Array(logits.length);
  for (let x = 0; x < numClasses; x++) {
    const [hasLower, hasUpper] = [x >= numEdges, x < numClasses - numEdges];
    const end = valueOf(x, bins) + halfWidth;
    for (let m = 0; m < logits.length; m++) {
      const upper = (end - means[m]!) * inverseScales[m]!;
      const below = -softplus(-upper);
      const mass =
        hasLower && hasUpper
          ? Math.max(below + above[m]! + logWidths[m]!, logFloor)
          : hasUpper
            ? below
            : above[m]!;
      weighted[m] = logits[m]! + mass;
      above[m] = below - upper;
    }
    into[x] = logSumExp(weighted) - total;
  }
  return into;
}

/** The quantile of a component at u, which is in (0, 1), no further than the ends: in [-1, 1]. */
export function drawValue({ means, inverseScales }: Mixture, component: number, u: number): number {
  const p = LEAST_PROBABILITY + u * (1 - 2 * LEAST_PROBABILITY);
  const value = means[component]! + Math.log(p / (1 - p)) / inverseScales[component]!;
  return Math.min(1, Math.max(-1, value));
}

/** log(1 + exp(x)) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function logSumExp(values: Float64Array): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
