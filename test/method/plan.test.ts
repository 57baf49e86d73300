import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { naivePolicy } from '../../shared/method/policy.js';
import {
  checkPolicy,
  costOfPolicy,
  planAll,
  planJointly,
  planPolicy,
  planStages,
  type Plan,
} from '../../shared/method/plan.js';
import { LowerEnvelope } from '../../shared/method/lower-envelope.js';

const numbers = (...values: number[]) => Float64Array.from(values);
const range = (length: number, value: (i: number) => number = (i) => i) =>
  Array.from({ length }, (_, i) => value(i));
const near = (actual: number, expected: number, what?: string) =>
  assert.ok(
    Math.abs(actual - expected) <= 1e-12 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, ${expected}`,
  );

/** A vector of policies and costs by budget, for components in any order. */
function expectPlans(components: number[], expected: Record<number, [number[], number]>): void {
  for (const [budget, [policy, cost]] of Object.entries(expected)) {
    const plan = planPolicy(numbers(...components), Number(budget));
    assert.deepEqual([...plan.policy], policy, `budget ${budget}`);
    near(plan.cost, cost, `budget ${budget}`);
  }
}

test('policies and costs are those worked out by hand', () => {
  expectPlans([4, 3, 2, 1], {
    1: [[0], 16],
    2: [[0, 2], 12],
    3: [[0, 1, 2], 11],
    4: [[0, 1, 2, 3], 10],
  });
  expectPlans([8, 4, 2, 1], {
    1: [[0], 32],
    2: [[0, 1], 20],
    3: [[0, 1, 2], 16],
    4: [[0, 1, 2, 3], 15],
  });
  expectPlans([5, 4, 3, 2.85, 2.8], {
    1: [[0], 25],
    2: [[0, 2], 19],
    3: [[0, 1, 2], 18],
    4: [[0, 1, 2, 3], 17.7],
    5: [[0, 1, 2, 3, 4], 17.65],
  });
  expectPlans(
    range(8, (t) => 1 / (t + 1)),
    {
      1: [[0], 8],
      2: [[0, 2], 4],
      3: [[0, 1, 3], 3.25],
      4: [[0, 1, 2, 4], 89 / 30],
      8: [range(8), 761 / 280],
    },
  );
  expectPlans(
    range(20, (t) => 20 - t),
    { 1: [[0], 400], 5: [[0, 4, 8, 12, 16], 240], 20: [range(20), 210] },
  );
});

test('the rows of the programme are those worked out by hand, where a call generates something', () => {
  const envelope = new LowerEnvelope(numbers(4, 3, 2, 1));
  const rows = [[4, 8, 12, 16], [7, 10, 12], [9, 11], [10]];
  envelope.start(0, 4);
  rows.forEach((row, i) => {
    if (i > 0) envelope.advance(i, 3);
    assert.deepEqual(
      row.map((_, j) => envelope.costUpTo(i + 1 + j)),
      row,
      `${i + 1} calls`,
    );
  });
});

test('ties give increasing policies of equal cost', () => {
  expectPlans([1, 1, 1, 1], { 1: [[0], 4], 2: [[0, 1], 4], 3: [[0, 1, 2], 4], 4: [[0, 1, 2, 3], 4] });
  expectPlans([3, 3, 1, 1], { 2: [[0, 2], 8], 3: [[0, 1, 2], 8] });
  const equal = new Float64Array(3072).fill(8 / 3072);
  for (const budget of [1, 50, 3000, 3072]) {
    const { policy, cost } = planPolicy(equal, budget);
    checkPolicy(policy, 3072);
    near(cost, 8, `budget ${budget}`);
  }
});

test('components are sorted first, so that noise is not exploited', () => {
  expectPlans([3, 1, 2], { 2: [[0, 1], 7], 3: [[0, 1, 2], 6] });
  const components = numbers(3, 1, 2);
  planPolicy(components, 2);
  assert.deepEqual(components, numbers(3, 1, 2));
});

test('two variables of 1.5 and 0.5 bits: one call costs 3 bits, two the exact bound', () => {
  assert.deepEqual([...planAll(numbers(1.5, 0.5))], [3, 2]);
});

test('a policy is priced by the width of its steps, on components in any order', () => {
  const components = numbers(2, 1.2, 0.8, 0.5);
  for (const [policy, cost] of [
    [[0, 1], 5.6],
    [[0, 2], 5.6],
    [[0, 1, 2], 4.8],
    [[0, 1, 2, 3], 4.5],
  ] as const)
    near(costOfPolicy(components, policy), cost, `${policy}`);
  assert.equal(costOfPolicy(numbers(1, 5, 2), [0, 1]), 11);
  assert.equal(costOfPolicy(numbers(1, 5, 2, 7), Int32Array.of(0, 2, 3), 2), 1 * 2 + 2 + 7);
});

/** Few values give many ties. */
const steps = (maxLength: number) =>
  fc
    .constantFrom(1, 2, 20)
    .chain((max) => fc.array(fc.integer({ min: 0, max }), { minLength: 1, maxLength }));

/** The recurrence as it is written, moves only onwards. */
function plainly(components: readonly number[], budget: number): Plan {
  const sorted = components.toSorted((a, b) => b - a);
  let row = [0, ...sorted.map(() => Infinity)];
  const back: number[][] = [];
  for (let k = 1; k <= budget; k++) {
    const choices = row.map((_, t) => range(t, (s) => row[s]! + (t - s) * sorted[s]!));
    back.push(choices.map((values) => values.indexOf(Math.min(...values))));
    row = choices.map((values) => Math.min(...values));
  }
  const policy = new Int32Array(budget);
  for (let k = budget, t = sorted.length; k >= 1; k--) t = policy[k - 1] = back[k - 1]![t]!;
  return { policy, cost: row[sorted.length]! };
}

test('every budget has the first of the cheapest policies, as the plain recurrence finds it', () => {
  fc.assert(
    fc.property(steps(16), (components) => {
      const costs = planAll(numbers(...components));
      const budgets = range(components.length, (i) => i + 1);
      budgets.forEach((budget, i) => {
        const plan = planPolicy(numbers(...components), budget);
        assert.deepEqual(plan, plainly(components, budget));
        assert.equal(plan.cost, costs[i]);
      });
    }),
  );
});

test('costs are as low as those of the plain recurrence where components nearly tie or differ wildly', () => {
  const nearTie = fc.integer({ min: 0, max: 6 }).map((ulps) => 0.1 * (1 + ulps * Number.EPSILON));
  const component = fc.oneof(
    nearTie,
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 24 }), (components) => {
      const scale = components.reduce((sum, value) => sum + Math.abs(value), 0) * components.length;
      planAll(numbers(...components)).forEach((cost, i) => {
        const plan = planPolicy(numbers(...components), i + 1);
        const expected = plainly(components, i + 1).cost;
        checkPolicy(plan.policy, components.length);
        assert.ok(Math.abs(plan.cost - expected) <= 1e-13 * scale, `${plan.cost} instead of ${expected}`);
        assert.ok(Math.abs(cost - expected) <= 1e-13 * scale, `${cost} instead of ${expected}`);
      });
    }),
  );
});

test('the cost falls from D times the first component to the sum of all, ever less', () => {
  fc.assert(
    fc.property(steps(40), (components) => {
      const costs = planAll(numbers(...components));
      assert.equal(costs[0], components.length * Math.max(...components));
      assert.equal(
        costs.at(-1),
        components.reduce((sum, value) => sum + value, 0),
      );
      const savings = range(costs.length - 1, (i) => costs[i]! - costs[i + 1]!);
      savings.forEach((saving, i) =>
        assert.ok(saving >= 0 && saving <= (savings[i - 1] ?? Infinity), `${costs}`),
      );
    }),
  );
});

test('a policy too large to be kept row by row is found by halves, as cheap', () => {
  const components = Float64Array.from(
    { length: 5000 },
    (_, t) => Math.round(1e6 * Math.exp(-t / 700)) + (t % 7),
  );
  const costs = planAll(components);
  for (const budget of [1500, 4000]) {
    const { policy, cost } = planPolicy(components, budget);
    checkPolicy(policy, 5000);
    assert.equal(cost, costs[budget - 1]);
  }
});

test('each stage is planned by itself, its steps counted on from the stages before', () => {
  const components = numbers(4, 3, 2, 1, 8, 2, 1, 4);
  assert.deepEqual(planStages(components, 2, 2), { policy: Int32Array.of(0, 2, 4, 5), cost: 12 + 20 });
  assert.deepEqual(planStages(components, 1, 1), { policy: Int32Array.of(0), cost: 64 });
});

/** The least cost of all policies with a call at the first step of each stage. */
function leastOfAll(components: Float64Array, numStages: number, totalBudget: number): number {
  const size = components.length / numStages;
  const byStage = range(numStages).flatMap((s) => [
    ...components
      .slice(s * size, (s + 1) * size)
      .sort()
      .reverse(),
  ]);
  let least = Infinity;
  for (let subset = 0; subset < 2 ** components.length; subset++) {
    const policy = range(components.length).filter((step) => (subset >> step) & 1);
    if (policy.length !== totalBudget || range(numStages).some((s) => !policy.includes(s * size))) continue;
    least = Math.min(least, costOfPolicy(numbers(...byStage), policy, numStages));
  }
  return least;
}

test('planned jointly, calls go to the stages so that no other policy is cheaper', () => {
  const cases = fc
    .record({ numStages: fc.integer({ min: 1, max: 3 }), size: fc.integer({ min: 1, max: 4 }) })
    .filter(({ numStages, size }) => numStages * size <= 9)
    .chain(({ numStages, size }) =>
      fc.record({
        numStages: fc.constant(numStages),
        components: fc
          .array(fc.integer({ min: 0, max: 20 }), {
            minLength: numStages * size,
            maxLength: numStages * size,
          })
          .map((values) => numbers(...values)),
        totalBudget: fc.integer({ min: numStages, max: numStages * size }),
      }),
    );
  fc.assert(
    fc.property(cases, ({ numStages, components, totalBudget }) => {
      const { policy, cost } = planJointly(components, numStages, totalBudget);
      assert.equal(policy.length, totalBudget);
      checkPolicy(policy, components.length, numStages);
      assert.equal(cost, leastOfAll(components, numStages, totalBudget));
    }),
  );
});

test('planned jointly, a stage that gains more gets more calls', () => {
  const components = numbers(1, 1, 1, 1, 8, 4, 2, 1);
  assert.deepEqual(planJointly(components, 2, 4), { policy: Int32Array.of(0, 4, 5, 6), cost: 4 + 16 });
  assert.equal(planStages(components, 2, 2).cost, 4 + 20);
});

test('a planned policy is no dearer than the naive one of the same budget', () => {
  const components = Float64Array.from({ length: 250 }, (_, t) => Math.exp(-t / 40));
  for (const budget of [1, 2, 20, 50, 249, 250]) {
    const { cost } = planPolicy(components, budget);
    assert.ok(cost <= costOfPolicy(components, naivePolicy(250, budget)) + 1e-12);
  }
});

test('budgets beyond the number of steps are refused with the numbers', () => {
  const components = new Float64Array(12);
  for (const budget of [0, 13, 2.5, NaN])
    assert.throws(() => planPolicy(components, budget), {
      name: 'UsageError',
      message: `A budget of ${budget} network calls cannot be planned for 12 steps: give 1 to 12.`,
    });
  assert.throws(() => planStages(components, 3, 5), {
    name: 'UsageError',
    message: /budget of 5 .* 4 steps/,
  });
  for (const budget of [2, 13])
    assert.throws(() => planJointly(components, 3, budget), {
      name: 'UsageError',
      message: `A budget of ${budget} network calls cannot generate 3 stages of 4 variables: give 3 to 12.`,
    });
});

test('components that are not finite, or do not fit the stages, are refused with the numbers', () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const components = numbers(3, 2, value, 1);
    for (const plan of [
      () => planPolicy(components, 2),
      () => planAll(components),
      () => planStages(components, 2, 1),
      () => planJointly(components, 2, 3),
      () => costOfPolicy(components, [0]),
    ])
      assert.throws(plan, {
        name: 'UsageError',
        message: new RegExp(`^Loss component 2 of 0..3 is ${value}`),
      });
  }
  assert.throws(() => planStages(new Float64Array(10), 3, 1), {
    name: 'UsageError',
    message: /^10 .* 3 stages/,
  });
});

test('a policy that is no policy is refused with the numbers', () => {
  const refused = (policy: number[], numStages: number, message: RegExp) =>
    assert.throws(() => costOfPolicy(new Float64Array(8), policy, numStages), {
      name: 'UsageError',
      message,
    });
  refused([], 1, /no call at step 0: it must begin there/);
  refused([1, 3], 1, /no call at step 0: it must begin there/);
  refused([0, 3, 3], 1, /call 3 is at step 3, not after call 2 at step 3/);
  refused([0, 5, 2], 1, /call 3 is at step 2, not after call 2 at step 5/);
  refused([0, 8], 1, /call 2 is at step 8, but steps are whole numbers from 0 to 7/);
  refused([-1, 2], 1, /call 1 is at step -1/);
  refused([0, 1.5], 1, /call 2 is at step 1.5/);
  refused([0, NaN], 1, /call 2 is at step NaN/);
  refused([0, 3, 5], 2, /no call at step 4, the first of stage 2 of 2/);
  refused([0, 2, 4], 4, /no call at step 6, the first of stage 4 of 4/);
});
