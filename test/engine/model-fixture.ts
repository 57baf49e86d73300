import type { Engine } from '../../shared/engine/engine.js';
import { readCase } from '../parity/cases.js';
import { checkElbo } from '../parity/elbo.js';
import { Fixture, FIXTURES } from '../parity/fixture.js';

/**
 * Runs one training evaluation of one of the project's fixtures on an engine, and compares outputs, losses and every
 * gradient with the original's numbers.
 */
export async function checkModelFixture(engine: Engine, name: string): Promise<void> {
  await checkElbo(engine, new Fixture(readCase(FIXTURES, name)));
}
