import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile } from '../../bench/round.js';

test('a percentile is one of the values, whatever their order', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.equal(percentile(values, 50), 101);
  assert.equal(percentile(values, 99), 199);
  assert.equal(percentile([3], 99), 3);
});
