import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUNS } from '../../bench/learning-runs.js';
import { acceptedRange, readReferenceCurve, RUN_NAMES } from '../../bench/reference-curve.js';
import { dataShape } from '../../shared/config/data-shape.js';
import { describeModel } from '../../shared/model/description.js';

async function describe(run: (typeof RUN_NAMES)[number]) {
  const config = await RUNS[run].config();
  return { training: config.training, ...describeModel(config.model, dataShape(config.data)!) };
}

for (const run of RUN_NAMES) {
  test(`each recorded draw of ${run} is a permutation of the positions and one of their steps`, async () => {
    const { orders, timeSteps } = readReferenceCurve(run);
    const { numPositions, numSteps } = await describe(run);
    assert.equal(orders.length, timeSteps.length * numPositions);
    for (const [draw, timeStep] of timeSteps.entries()) {
      const row = orders.slice(draw * numPositions, (draw + 1) * numPositions).sort();
      assert.ok(row.every((rank, nth) => rank === nth));
      assert.ok(timeStep >= 0 && timeStep < numSteps);
    }
  });

  test(`the recorded steps of ${run} go up to the last one, with a value of every seed`, async () => {
    const { steps, testNelbo } = readReferenceCurve(run);
    assert.equal(steps.at(-1), (await describe(run)).training.steps);
    for (const curve of testNelbo) assert.equal(curve.length, steps.length);
  });

  test(`our model of ${run} has as many parameters as the recorded one`, async () => {
    assert.equal((await describe(run)).numParameters, readReferenceCurve(run).numParameters);
  });
}

test('the accepted range is the wider one of the spread and the margin about the mean', () => {
  assert.deepEqual(acceptedRange([1, 2, 1.5], 0.25), [1, 2]);
  assert.deepEqual(acceptedRange([1, 1.25], 0.25), [0.875, 1.375]);
});
