import assert from 'node:assert/strict';
import test from 'node:test';
import { addStep, createCurve, pointsAfter, type Curve } from '../../shared/page/curve.js';

const add = (curve: Curve, step: number, bitsPerDim = step) =>
  addStep(curve, { step, bitsPerDim, gradientNorm: 1, learningRate: 0.1, seconds: 2 });

function curveOf(numSteps: number): Curve {
  const curve = createCurve();
  for (let step = 1; step <= numSteps; step++) add(curve, step);
  return curve;
}

test('a short curve has a point a step', () => {
  const { steps, bitsPerDim, seconds, width } = pointsAfter(curveOf(3), 0);
  assert.deepEqual([steps, bitsPerDim, seconds, width], [[1, 2, 3], [1, 2, 3], [2, 2, 2], 1]);
});

test('a long curve stays short, and its points are the means of their steps', () => {
  const curve = curveOf(100_000);
  assert.ok(curve.steps.length <= 2000 && curve.steps.length > 900, `${curve.steps.length}`);
  assert.equal(
    curve.counts.reduce((a, b) => a + b, 0),
    100_000,
  );
  curve.steps.forEach((last, i) => {
    const n = curve.counts[i]!;
    assert.ok(Math.abs(curve.bitsPerDim[i]! - (last - (n - 1) / 2)) < 1e-6);
    assert.equal(Math.floor((last - 1) / curve.width), Math.floor((last - n) / curve.width));
  });
});

test('points after a step are those that end beyond it, the one that has grown among them', () => {
  const curve = curveOf(2002);
  assert.equal(curve.width, 2);
  add(curve, 2003);
  const before = pointsAfter(curve, 2002);
  assert.deepEqual(before.steps, [2003]);
  add(curve, 2004);
  const { steps, bitsPerDim } = pointsAfter(curve, 2003);
  assert.deepEqual([steps, bitsPerDim], [[2004], [2003.5]]);
  assert.deepEqual(pointsAfter(curve, 2004).steps, []);
});

test('a step that was there before takes back what followed, in another generation', () => {
  const curve = curveOf(10);
  const { generation } = curve;
  add(curve, 6, 60);
  assert.deepEqual(pointsAfter(curve, 4).bitsPerDim, [5, 60]);
  assert.ok(curve.generation > generation);
});
