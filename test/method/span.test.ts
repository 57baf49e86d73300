import assert from 'node:assert/strict';
import test from 'node:test';
import { componentsWithin, policyOfSpan, policyWithin } from '../../shared/method/span.js';

const span = { begin: 3, end: 8 };

test('a span has its part of the components of each stage', () => {
  const components = Float64Array.from({ length: 20 }, (_, t) => t / 2);
  const expected = [3, 4, 5, 6, 7, 13, 14, 15, 16, 17].map((t) => t / 2);
  assert.deepEqual([...componentsWithin(components, 2, span)], expected);
});

test('a policy for a span by itself begins in each stage where the span does', () => {
  assert.deepEqual([...policyOfSpan(Int32Array.of(0, 2, 4, 5, 6), 10, span)], [3, 5, 7, 13, 14]);
});

test('of a policy for all steps a span keeps those that lie in it, after one where it begins', () => {
  const policy = Int32Array.of(0, 1, 3, 6, 8, 9, 10, 12, 14, 17, 19);
  assert.deepEqual([...policyWithin(policy, 10, 2, span)], [3, 6, 13, 14, 17]);
  assert.deepEqual([...policyWithin(Int32Array.of(0, 10), 10, 2, span)], [3, 13]);
  assert.deepEqual([...policyWithin(policy, 10, 2, { begin: 0, end: 10 })], [...policy]);
});
