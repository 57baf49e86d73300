import assert from 'node:assert/strict';
import test from 'node:test';
import { areFinite } from '../../shared/optimizer/finite.js';

test('numbers are finite when each of them is, whatever its place', () => {
  const numbers = Float32Array.of(3.4e38, -3.4e38, 1e-45, -0, 0, 7, -1);
  assert.ok(areFinite(numbers));
  assert.ok(areFinite(new Float32Array(0)));
  for (const bad of [NaN, Infinity, -Infinity])
    for (let i = 0; i < numbers.length; i++) assert.ok(!areFinite(numbers.with(i, bad)), `${bad} at ${i}`);
});
