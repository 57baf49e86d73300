import { UsageError } from '../errors.js';
import type { Bound } from './bound.js';
import { roundHalfEven } from './rounding.js';

/**
 * The naive policy of `budget` network calls (section 1.6): the times at which the network is called, round(j * D / budget),
 * halves to even. Each call generates the variables whose rank is below the next call's time.
 *
 * Throws UsageError unless the budget is in 1..numVariables.
 */
export function naivePolicy(numVariables: number, budget: number): Int32Array {
  if (!Number.isInteger(budget) || budget < 1 || budget > numVariables)
    throw new UsageError(
      `A budget of ${budget} network calls cannot generate ${numVariables} variables: give 1 to ${numVariables}.`,
    );
  return Int32Array.from({ length: budget }, (_, j) => roundHalfEven(j * numVariables, budget));
}

/** The ranks [begin, end) that step j of a policy generates. */
export function policyRange(policy: Int32Array, j: number, numVariables: number): [number, number] {
  return [policy[j]!, policy[j + 1] ?? numVariables];
}

/**
 * Estimate of the bound under a policy and a random order (section 1.7), bits per dimension: from the bound at the time of a
 * step j drawn uniformly, whose nats go over all unknown variables.
 */
export function randomOrderBound(
  policy: Int32Array,
  j: number,
  numVariables: number,
  { elboOfT }: Bound,
): number {
  const [begin, end] = policyRange(policy, j, numVariables);
  return policy.length * (end - begin) * elboOfT;
}

/**
 * Estimate of log p(x | order, policy) for one fixed order (section 1.7), bits per dimension: from the bound at the time of
 * a step drawn uniformly, whose nats go over the variables of that step alone. Its mean over all steps is exact.
 */
export function fixedOrderBound(policy: Int32Array, { nce }: Bound): number {
  return policy.length * nce;
}
