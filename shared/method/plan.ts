import { UsageError } from '../errors.js';
import { cheapestPolicy } from './cheapest-policy.js';
import { LowerEnvelope } from './lower-envelope.js';

/** The increasing steps at which the network is called, and what that costs in the unit of the components. */
export interface Plan {
  readonly policy: Int32Array;
  readonly cost: number;
}

/**
 * The policy of `budget` calls that costs least (section 3.2), for one stage with the costs `components` of its D steps. These
 * are sorted in decreasing order first: a policy must not exploit their noise. O(budget D) time, O(D) memory.
 *
 * Throws UsageError unless the budget is in 1..D and the components are finite.
 */
export function planPolicy(components: Float64Array, budget: number): Plan {
  checkComponents(components);
  checkBudget(budget, components.length);
  const sorted = decreasing(components);
  const policy = cheapestPolicy(sorted, budget);
  return { policy, cost: priceOf(sorted, policy) };
}

/**
 * The least cost of every budget: n = 1..D at index n - 1; `planPolicy` gives the policies. Non-increasing and convex in the
 * budget. O(D^2) time, O(D) memory.
 */
export function planAll(components: Float64Array): Float64Array {
  checkComponents(components);
  return leastCosts(components, components.length);
}

/**
 * The published way over `numStages` stages, whose components follow one another: each stage by itself, with `budget` calls a
 * stage. The policy counts steps through all stages, stage s from s D on; the cost is the sum.
 *
 * Throws UsageError as `planPolicy` does, and where the components cannot be cut into the stages.
 */
export function planStages(components: Float64Array, numStages: number, budget: number): Plan {
  const stages = stagesOf(components, numStages);
  return join(
    stages.map((stage) => planPolicy(stage, budget)),
    stages[0]!.length,
  );
}

/**
 * The least cost of `totalBudget` calls over all stages together, at least one in each. A stage's costs are convex in its budget,
 * for (t - s) L_s satisfies the quadrangle inequality: so each further call goes where it saves most, the first of equals.
 *
 * Throws UsageError unless the total budget is in S..S D, and as `planStages` does.
 */
export function planJointly(components: Float64Array, numStages: number, totalBudget: number): Plan {
  const stages = stagesOf(components, numStages);
  if (!Number.isInteger(totalBudget) || totalBudget < numStages || totalBudget > components.length)
    throw new UsageError(
      `A budget of ${totalBudget} network calls cannot generate ${numStages} stages of ${stages[0]!.length} variables: ` +
        `give ${numStages} to ${components.length}.`,
    );
  const costs = stages.map((stage) => leastCosts(stage, Math.min(stage.length, totalBudget - numStages + 1)));
  const budgets = stages.map(() => 1);
  const saving = (s: number) => costs[s]![budgets[s]! - 1]! - (costs[s]![budgets[s]!] ?? Infinity);
  for (let calls = numStages; calls < totalBudget; calls++) {
    const best = budgets.reduce((most, _, s) => (saving(s) > saving(most) ? s : most), 0);
    budgets[best]!++;
  }
  return join(
    stages.map((stage, s) => planPolicy(stage, budgets[s]!)),
    stages[0]!.length,
  );
}

/**
 * What a policy costs with other components, which need not be sorted, in their unit: over its steps the width times the
 * component at the left edge. Throws UsageError as `checkPolicy` does, and unless the components are finite.
 */
export function costOfPolicy(components: Float64Array, policy: ArrayLike<number>, numStages = 1): number {
  stagesOf(components, numStages);
  checkPolicy(policy, components.length, numStages);
  return priceOf(components, policy);
}

/**
 * Throws UsageError unless a policy's steps increase, lie within the `numSteps` of all stages, and call the network at the first
 * step of each stage.
 */
export function checkPolicy(policy: ArrayLike<number>, numSteps: number, numStages = 1): void {
  const size = numSteps / numStages;
  let stage = 0;
  for (let j = 0; j < policy.length; j++) {
    const step = policy[j]!;
    if (!Number.isInteger(step) || step < 0 || step >= numSteps)
      throw new UsageError(
        `The policy's call ${j + 1} is at step ${step}, but steps are whole numbers from 0 to ${numSteps - 1}.`,
      );
    if (j > 0 && step <= policy[j - 1]!)
      throw new UsageError(
        `The policy's call ${j + 1} is at step ${step}, not after call ${j} at step ${policy[j - 1]}: ` +
          'give steps that increase.',
      );
    if (step === stage * size) stage++;
    else if (step > stage * size) break;
  }
  if (stage < numStages)
    throw new UsageError(
      `The policy makes no call at step ${stage * size}` +
        (numStages === 1 ? ': it must begin there.' : `, the first of stage ${stage + 1} of ${numStages}.`),
    );
}

/** Of budgets 1..most, at index budget - 1. */
function leastCosts(components: Float64Array, most: number): Float64Array {
  const numSteps = components.length;
  const envelope = new LowerEnvelope(decreasing(components));
  envelope.start(0, numSteps);
  const costs = new Float64Array(most);
  costs[0] = envelope.costUpTo(numSteps);
  for (let k = 1; k < most; k++) {
    envelope.advance(k, numSteps - 1);
    costs[k] = envelope.costUpTo(numSteps);
  }
  return costs;
}

function priceOf(components: Float64Array, policy: ArrayLike<number>): number {
  let cost = 0;
  for (let j = 0; j < policy.length; j++)
    cost += ((policy[j + 1] ?? components.length) - policy[j]!) * components[policy[j]!]!;
  return cost;
}

/** One after another, of stages of the same length. */
function join(plans: readonly Plan[], stageLength: number): Plan {
  return {
    policy: Int32Array.from(
      plans.flatMap(({ policy }, s) => [...policy].map((step) => s * stageLength + step)),
    ),
    cost: plans.reduce((sum, { cost }) => sum + cost, 0),
  };
}

function decreasing(components: Float64Array): Float64Array {
  return components.toSorted().reverse();
}

function stagesOf(components: Float64Array, numStages: number): Float64Array[] {
  checkComponents(components);
  const length = components.length / numStages;
  if (!Number.isInteger(length) || numStages < 1)
    throw new UsageError(
      `${components.length} loss components cannot be cut into ${numStages} stages of the same length.`,
    );
  return Array.from({ length: numStages }, (_, s) => components.subarray(s * length, (s + 1) * length));
}

function checkBudget(budget: number, numSteps: number): void {
  if (!Number.isInteger(budget) || budget < 1 || budget > numSteps)
    throw new UsageError(
      `A budget of ${budget} network calls cannot be planned for ${numSteps} steps: give 1 to ${numSteps}.`,
    );
}

function checkComponents(components: Float64Array): void {
  const wrong = components.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new UsageError(
      `Loss component ${wrong} of 0..${components.length - 1} is ${components[wrong]}: ` +
        'a policy can only be planned and priced with finite ones.',
    );
}
