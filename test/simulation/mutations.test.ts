import assert from 'node:assert/strict';
import test from 'node:test';
import { MUTATIONS } from './mutations.js';
import { simulate } from './simulate.js';

/** The most that it may take to find out. */
const SEEDS = 1000;

for (const [rule, mutation] of Object.entries(MUTATIONS)) {
  test(`it would be noticed if it were not so that ${rule}`, async (t) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { violations } = await simulate(seed, { mutation: mutation() });
      if (violations.length > 0) return t.diagnostic(`seed ${seed}: ${violations[0]}`);
    }
    assert.fail(`${SEEDS} seeds found nothing wrong`);
  });
}
