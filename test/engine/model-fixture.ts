import type { Engine } from '../../shared/engine/engine.js';
import { readCase } from '../parity/cases.js';
import { checkElbo } from '../parity/elbo.js';
import { Fixture, FIXTURES } from '../parity/fixture.js';
import { checkUpscaleNetwork } from '../parity/upscale-network.js';

/**
 * Runs one training evaluation of one of the project's U-Net fixtures on an engine, and compares logits, losses and
 * every gradient with the original's numbers.
 */
export async function checkUnetFixture(engine: Engine, name: string): Promise<void> {
  const fixture = new Fixture(readCase(FIXTURES, name));
  const check = fixture.sideCar.config.model === 'ao_arm' ? checkElbo : checkUpscaleNetwork;
  await check(engine, fixture);
}
