import { exp } from '../exact-math.js';
import type { Cumulative } from './cumulative.js';
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

/**
 * The distribution of a variable's class. All of it is made of operations that never fall where their arguments rise, rounding and `exp`
 * included, so that neither does the share of the classes below. Where more than one class at each end is the edge, and what they are
 * given sums to more than 1, shares are of that sum.
 */
export function mixtureCumulative(
  { logits, means, inverseScales }: Mixture,
  { numClasses, halfWidth, numEdges }: Bins,
): Cumulative {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = logits.map((logit) => exp(logit - largest));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  /** Mass below the lower end of class k's bin. */
  const below = (k: number) => {
    const end = (2 * k - 1) * halfWidth - 1;
    let mass = 0;
    for (let m = 0; m < weights.length; m++)
      mass += weights[m]! / (1 + exp((means[m]! - end) * inverseScales[m]!));
    return mass / sum;
  };
  const classes = { count: numClasses, classOf: (n: number) => n, indexOf: (x: number) => x };
  if (numEdges === 1) return { ...classes, at: (n) => (n === 0 ? 0 : n === numClasses ? 1 : below(n)) };

  const firstUpper = numClasses - numEdges;
  const lower = runningSums(numEdges, (i) => below(i + 1));
  const upper = runningSums(numEdges, (i) => 1 - below(firstUpper + i));
  const belowInner = below(numEdges);
  const inner = (n: number) => lower[numEdges]! + (below(n) - belowInner);
  const masses = (n: number) =>
    n <= numEdges ? lower[n]! : n <= firstUpper ? inner(n) : inner(firstUpper) + upper[n - firstUpper]!;
  const total = masses(numClasses);
  return { ...classes, at: (n) => masses(n) / total };
}

/** 0, and the sums of the first, the first two, ... */
function runningSums(count: number, valueOf: (i: number) => number): Float64Array {
  const sums = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) sums[i + 1] = sums[i]! + valueOf(i);
  return sums;
}

/** log(1 + exp(x)) */
export function softplus(x: number): number {
  return Math.max(x, 0) + logOnePlus(exp(-Math.abs(x)));
}

/** log(1 + z) for z in [0, 1]: 2 artanh(t) with t = z / (2 + z), whose 18th term is below a unit in the last place. */
function logOnePlus(z: number): number {
  const t = z / (2 + z);
  let series = 0;
  for (let n = 35; n > 0; n -= 2) series = 1 / n + t * t * series;
  return 2 * t * series;
}

/** The hyperbolic tangent, to 1e-15. */
export function tanh(x: number): number {
  const e = exp(-2 * Math.abs(x));
  return (Math.sign(x) * (1 - e)) / (1 + e);
}

function logSumExp(values: Float64Array): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
