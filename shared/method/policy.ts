import { UsageError } from '../errors.js';
import type { Bound } from './bound.js';
import { roundHalfEven } from './rounding.js';

/**
 * The naive policy of `budget` network calls a stage (section 1.6): the steps at which the network is called, in each stage
 * round(j * numPositions / budget), halves to even. Each call generates the positions whose rank is below the next call's time; a
 * policy has a call at the first step of every stage.
 *
 * Throws UsageError unless the budget is in 1..numPositions.
 */
export function naivePolicy(numPositions: number, budget: number, numStages = 1): Int32Array {
  if (!Number.isInteger(budget) || budget < 1 || budget > numPositions)
    throw new UsageError(
      `A budget of ${budget} network calls cannot generate ${numPositions} variables: give 1 to ${numPositions}.`,
    );
  return Int32Array.from({ length: numStages * budget }, (_, j) => {
    const stage = Math.floor(j / budget);
    return stage * numPositions + roundHalfEven((j - stage * budget) * numPositions, budget);
  });
}

/** The steps [begin, end) that call j of a policy generates; they lie in one stage. */
export function policyRange(policy: Int32Array, j: number, numSteps: number): [number, number] {
  return [policy[j]!, policy[j + 1] ?? numSteps];
}

/**
 * Estimate of the bound under a policy and a random order (section 1.7), bits per dimension: from the bound at the time of a
 * call j drawn uniformly, whose nats go over all unknown variables.
 */
export function randomOrderBound(
  policy: Int32Array,
  j: number,
  numSteps: number,
  { elboOfT }: Bound,
): number {
  const [begin, end] = policyRange(policy, j, numSteps);
  return policy.length * (end - begin) * elboOfT;
}

/**
 * Estimate of log p(x | order, policy) for one fixed order (section 1.7), bits per dimension: from the bound at the time of
 * a call drawn uniformly, whose nats go over the variables of that call alone. Its mean over all calls is exact.
 */
export function fixedOrderBound(policy: Int32Array, { nce }: Bound): number {
  return policy.length * nce;
}
