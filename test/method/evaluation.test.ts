import assert from 'node:assert/strict';
import test from 'node:test';
import { drawEvaluation, type EvaluationPart } from '../../shared/method/evaluation.js';

const whole: EvaluationPart = {
  seed: 4,
  pass: 0,
  first: 0,
  count: 12,
  numExamples: 12,
  numPositions: 24,
  steps: { numSteps: 24, numStages: 1 },
  mode: 'antithetic',
};

for (const mode of ['uniform', 'antithetic'] as const)
  test(`${mode}: the draws of an example do not depend on how a pass is cut`, () => {
    const { orders, timeSteps } = drawEvaluation({ ...whole, mode });
    for (const [first, count] of [
      [0, 5],
      [5, 7],
    ] as const) {
      const part = drawEvaluation({ ...whole, mode, first, count });
      assert.deepEqual(part.orders, orders.slice(first * 24, (first + count) * 24));
      assert.deepEqual(part.timeSteps, timeSteps.slice(first, first + count));
    }
  });

test('each pass and each example has draws of its own', () => {
  const { orders, timeSteps } = drawEvaluation(whole);
  const next = drawEvaluation({ ...whole, pass: 1 });
  assert.notDeepEqual(next.timeSteps, timeSteps);
  assert.notDeepEqual(next.orders, orders);
  const rows = Array.from({ length: 12 }, (_, i) => orders.slice(i * 24, (i + 1) * 24));
  assert.equal(new Set(rows.map((row) => row.join())).size, 12);
  for (const row of rows) assert.deepEqual([...row.toSorted()], [...row.keys()]);
});

test('antithetic time steps are spread over the whole pass', () => {
  const { timeSteps } = drawEvaluation(whole);
  const [first, ...rest] = timeSteps.toSorted();
  assert.ok(first! < 2);
  assert.deepEqual(
    rest,
    rest.map((_, j) => first! + 2 * (j + 1)),
  );
});
