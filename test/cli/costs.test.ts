import assert from 'node:assert/strict';
import test from 'node:test';
import { costCurves, sortedStages } from '../../cli/costs.js';
import { costOfPolicy, planJointly, planStages } from '../../shared/method/plan.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

const random = stream(5, PURPOSE.sample);
const measured = Float64Array.from({ length: 24 }, (_, t) => random.uniform() + 12 - (t % 12));

test('stages are sorted by themselves, and what was measured is left alone', () => {
  const given = Float64Array.of(1, 2, 3, 9, 7, 8);
  assert.deepEqual([...sortedStages(given, 2)], [3, 2, 1, 9, 8, 7]);
  assert.deepEqual([...given], [1, 2, 3, 9, 7, 8]);
});

test('each curve has the costs of its policies, budget by budget', () => {
  const components = sortedStages(measured, 2);
  const [joint, planned, equal] = costCurves(components, 2);
  assert.deepEqual(
    [joint, planned, equal].map((curve) => curve!.name),
    ['planned jointly', 'planned', 'equal parts'],
  );
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9);
  for (let n = 0; n < 12; n++) {
    assert.equal(planned!.budgets[n], 2 * (n + 1));
    close(planned!.costs[n]!, planStages(measured, 2, n + 1).cost);
    close(equal!.costs[n]!, costOfPolicy(components, naivePolicy(12, n + 1, 2), 2));
  }
  assert.equal(joint!.costs.length, 23);
  for (let n = 0; n < 23; n++) {
    assert.equal(joint!.budgets[n], n + 2);
    close(joint!.costs[n]!, planJointly(measured, 2, n + 2).cost);
  }
});

test('a single stage has no curve of its own for joint plans', () => {
  const names = costCurves(sortedStages(measured, 1), 1).map(({ name }) => name);
  assert.deepEqual(names, ['planned', 'equal parts']);
});
