import { costOfPolicy, planStages, type Plan } from '../../shared/method/plan.js';
import { naivePolicy } from '../../shared/method/policy.js';
import type { Fixture } from './fixture.js';

/** Of costs: the original's programme is in float32. */
const RELATIVE = 1e-5;

/**
 * Kind `dp`: policies planned on some components, with a budget for each stage, and priced on others. Where several policies cost
 * the same the original may have another one, and may call the network twice at one step: then its own is priced.
 */
export function checkPlans(fixture: Fixture): void {
  for (const input of fixture.names().filter((name) => name.endsWith('/kl_per_t'))) {
    const name = input.replace(/^in\/(.*)\/kl_per_t$/, '$1');
    const components = Float64Array.from(fixture.floats(input));
    const heldOut = Float64Array.from(fixture.floats(`in/${name}/kl_heldout`));
    const budgets = [...fixture.ints(`in/${name}/budgets`)];
    const numStages = numStagesOf(fixture, `out/${name}/policy_${budgets[0]}`);
    const size = components.length / numStages;
    const plans = budgets.map((budget) => planStages(components, numStages, budget));
    compareCost(
      fixture,
      `out/${name}/costs`,
      plans.map(({ cost }) => cost),
    );

    const sorted = sortStages(components, size);
    budgets.forEach((budget, i) => {
      const recorded = fixture.ints(`out/${name}/policy_${budget}`);
      const original = distinct(recorded.map((step, j) => Math.floor(j / budget) * size + step));
      const agrees = isAsCheap(original, plans[i]!, sorted, numStages);
      const local = plans[i]!.policy.map((step) => step % size);
      fixture.compareExactly(`out/${name}/policy_${budget}`, agrees ? recorded : local);
      const price = costOfPolicy(heldOut, agrees ? original : plans[i]!.policy, numStages);
      compareCost(fixture, `out/${name}/cost_on_heldout_${budget}`, [price]);
      fixture.compareExactly(`out/${name}/naive_policy_${budget}`, naivePolicy(size, budget));
    });
  }
}

/** Policies of more than one stage are recorded as [numStages, budget], in steps of each stage. */
function numStagesOf(fixture: Fixture, name: string): number {
  const shape = fixture.shape(name);
  return shape.length === 2 ? shape[0]! : 1;
}

function compareCost(fixture: Fixture, name: string, costs: readonly number[]): void {
  fixture.compareWithin(name, Float64Array.from(costs), RELATIVE * Math.min(...fixture.floats(name)));
}

function isAsCheap(policy: Int32Array, { cost }: Plan, components: Float64Array, numStages: number): boolean {
  return Math.abs(costOfPolicy(components, policy, numStages) - cost) <= RELATIVE * cost;
}

function distinct(policy: Int32Array): Int32Array {
  return policy.filter((step, j) => step !== policy[j - 1]);
}

/** Each stage in decreasing order. */
function sortStages(components: Float64Array, size: number): Float64Array {
  const sorted = components.slice();
  for (let begin = 0; begin < sorted.length; begin += size)
    sorted
      .subarray(begin, begin + size)
      .sort()
      .reverse();
  return sorted;
}
