import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { boundOf } from '../../shared/method/bound.js';
import { fixedOrderBound, naivePolicy, policyRange, randomOrderBound } from '../../shared/method/policy.js';

test('naive policies are evenly spaced, halves rounded to even', () => {
  assert.deepEqual([...naivePolicy(10, 4)], [0, 2, 5, 8]);
  assert.deepEqual([...naivePolicy(5, 3)], [0, 2, 3]);
  assert.deepEqual(
    [...naivePolicy(250, 20)],
    [0, 12, 25, 38, 50, 62, 75, 88, 100, 112, 125, 138, 150, 162, 175, 188, 200, 212, 225, 238],
  );
  assert.deepEqual(
    [...naivePolicy(3072, 12)],
    Array.from({ length: 12 }, (_, j) => 256 * j),
  );
});

test('the steps of a naive policy cut 0..D-1 into non-empty ranges', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 400 }), (D, n) => {
      fc.pre(n <= D);
      const policy = naivePolicy(D, n);
      let next = 0;
      policy.forEach((_, j) => {
        const [begin, end] = policyRange(policy, j, D);
        assert.equal(begin, next);
        assert.ok(end > begin);
        next = end;
      });
      assert.equal(next, D);
    }),
  );
});

test('a budget of no calls, or of more than there are variables, is refused', () => {
  for (const budget of [0, 11, 2.5])
    assert.throws(() => naivePolicy(10, budget), { name: 'UsageError', message: /give 1 to 10/ });
});

test('both policy estimators average to the exact bound of two variables', () => {
  // Bits: nothing known, x0 -1 and x1 -2; x1 given x0 -1; x0 given x1 0.
  const bits = (value: number, t: number) =>
    boundOf(value * Math.LN2, t, { numVariables: 2, numPositions: 2, numStages: 1 });
  const once = Int32Array.of(0);
  assert.equal(randomOrderBound(once, 0, 2, bits(-3, 0)), -1.5);
  assert.equal(fixedOrderBound(once, bits(-3, 0)), -1.5);
  const each = Int32Array.of(0, 1);
  const randomOrder = [
    randomOrderBound(each, 0, 2, bits(-3, 0)),
    randomOrderBound(each, 1, 2, bits(-1, 1)),
    randomOrderBound(each, 0, 2, bits(-3, 0)),
    randomOrderBound(each, 1, 2, bits(0, 1)),
  ];
  assert.equal(randomOrder.reduce((a, b) => a + b, 0) / 4, -1);
  // x0 first: -1, then -1 given it.
  assert.equal((fixedOrderBound(each, bits(-1, 0)) + fixedOrderBound(each, bits(-1, 1))) / 2, -1);
});

test('a naive policy repeats itself in every stage, which no call leaves', () => {
  const policy = naivePolicy(10, 4, 3);
  assert.deepEqual([...policy], [0, 2, 5, 8, 10, 12, 15, 18, 20, 22, 25, 28]);
  assert.deepEqual(policyRange(policy, 3, 30), [8, 10]);
  assert.deepEqual(policyRange(policy, 11, 30), [28, 30]);
});

test('with stages, the estimates of all calls of a uniform model average to its bits', () => {
  // Two stages of base 4 over ten variables.
  const process = { numVariables: 10, numPositions: 10, numStages: 2 };
  const policy = Int32Array.of(0, 3, 10, 11, 17);
  const estimates = Array.from(policy, (step, j) =>
    randomOrderBound(policy, j, 20, boundOf(-(10 - (step % 10)) * Math.log(4), step, process)),
  );
  const mean = estimates.reduce((a, b) => a + b) / estimates.length;
  assert.ok(Math.abs(mean + 4) < 1e-12, `${mean}`);
});
