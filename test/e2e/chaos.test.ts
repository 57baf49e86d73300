import assert from 'node:assert/strict';
import test from 'node:test';
import { runChaos } from '../chaos/chaos.js';

test('a run whose processes and connections fail all the time ends with the weights of an undisturbed one', async (t) => {
  const summary = await runChaos({
    seed: 1,
    minutes: 0,
    numWorkers: 2,
    steps: 200,
    faultSeconds: 0.7,
    say: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(summary));
  const kinds = Object.keys(summary.faults);
  assert.ok(kinds.length >= 3, `faults of too few kinds: ${kinds.join(', ')}`);
  assert.equal(summary.sha256, summary.referenceSha256);
});
