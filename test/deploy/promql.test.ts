import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectorsOf } from './promql.js';

test('metrics are told from functions, keywords, labels and strings', () => {
  const expression = `
    histogram_quantile(0.99, sum by (le, phase) (rate(a_bucket{x="b or c", y=~"d"}[$__rate_interval])))
      and on (job, instance) (time() - (e or on (job) f{}) > 3600) unless g
      / ignoring (slot) group_left () instance:h:rate5m`;
  assert.deepEqual(selectorsOf(expression), [
    { metric: 'a_bucket', labels: ['x', 'y'] },
    { metric: 'e', labels: [] },
    { metric: 'f', labels: [] },
    { metric: 'g', labels: [] },
    { metric: 'instance:h:rate5m', labels: [] },
  ]);
});
