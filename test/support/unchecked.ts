import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

/**
 * Ends a test of what this machine lacks: skipped, and told of after the run as not checked. Where ARDM_REQUIRE_ALL=1
 * promises that everything is there, absence is a failure.
 */
export function unchecked(t: TestContext, what: string): void {
  if (process.env.ARDM_REQUIRE_ALL === '1') assert.fail(`required but absent: ${what}`);
  t.skip(what);
}
