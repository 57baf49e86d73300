import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchObservability } from '../../bench/observability.js';

test('a scrape, a step and a run folder are measured', async () => {
  const options = { events: 3000, stepSeconds: 1000 };
  const { rows, targets } = await benchObservability(options, () => undefined);
  assert.ok(rows.every(({ found }) => found !== undefined));
  const verdicts = Object.fromEntries(targets.map(({ name, verdict }) => [name, verdict]));
  assert.equal(verdicts['series of it'], 'met');
  assert.equal(verdicts['s to open a run folder'], 'met');
});
