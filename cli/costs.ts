import { planAll } from '../shared/method/plan.js';
import { naivePolicy } from '../shared/method/policy.js';
import type { CostsPlot } from '../shared/render/plot.js';

/** Loss components in decreasing order in each stage, as plans are made and priced (section 3.2). */
export function sortedStages(components: Float64Array, numStages: number): Float64Array {
  const sorted = components.slice();
  for (const stage of stagesOf(sorted, numStages)) stage.sort().reverse();
  return sorted;
}

/**
 * What every budget costs, in the unit of the components, which are sorted in each stage: planned, joint where there are several stages,
 * and in equal parts; budgets are network calls over all stages. O(D^2) time a stage.
 */
export function costCurves(components: Float64Array, numStages: number): CostsPlot['curves'] {
  const stages = stagesOf(components, numStages);
  const size = components.length / numStages;
  const planned = stages.map(planAll);
  const budgets = Array.from({ length: size }, (_, n) => (n + 1) * numStages);
  const sum = (costs: readonly Float64Array[]) =>
    Float64Array.from({ length: size }, (_, n) => costs.reduce((total, cost) => total + cost[n]!, 0));
  const curves = [
    { name: 'planned', budgets, costs: sum(planned) },
    { name: 'equal parts', budgets, costs: sum(stages.map(equalParts)) },
  ];
  if (numStages === 1) return curves;
  const costs = jointly(planned);
  const totals = Array.from(costs, (_, n) => numStages + n);
  return [{ name: 'planned jointly', budgets: totals, costs }, ...curves];
}

/** Least costs over all stages, from a call in each on: costs are convex, so each further call goes where it saves most. */
function jointly(stages: readonly Float64Array[]): Float64Array {
  const savings = Float64Array.from(
    stages.flatMap((costs) => [...costs].slice(1).map((cost, n) => costs[n]! - cost)),
  );
  const joint = new Float64Array(savings.length + 1);
  joint[0] = stages.reduce((total, costs) => total + costs[0]!, 0);
  savings
    .sort()
    .reverse()
    .forEach((saving, n) => (joint[n + 1] = joint[n]! - saving));
  return joint;
}

function equalParts(components: Float64Array): Float64Array {
  const size = components.length;
  return Float64Array.from({ length: size }, (_, n) => {
    const policy = naivePolicy(size, n + 1);
    let cost = 0;
    for (let j = 0; j <= n; j++) cost += ((policy[j + 1] ?? size) - policy[j]!) * components[policy[j]!]!;
    return cost;
  });
}

function stagesOf(components: Float64Array, numStages: number): Float64Array[] {
  const size = components.length / numStages;
  return Array.from({ length: numStages }, (_, s) => components.subarray(s * size, (s + 1) * size));
}
