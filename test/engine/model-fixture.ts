import type { Engine } from '../../shared/engine/engine.js';
import { readCase } from '../parity/cases.js';
import { checkElbo } from '../parity/elbo.js';
import { Fixture, FIXTURES } from '../parity/fixture.js';

/** A case of each kind of model: networks, outputs and parametrisations. */
export const MODEL_CASES = [
  'unet-oa-softmax256',
  'unet-upscale-augment',
  'unet-upscale-direct',
  'transformer-oa',
  'diffwave-oa',
  'diffwave-upscale',
] as const;

/**
 * Runs one training evaluation of one of the project's fixtures on an engine, and compares outputs, losses and every
 * gradient with the original's numbers.
 */
export async function checkModelFixture(engine: Engine, name: string): Promise<void> {
  await checkElbo(engine, new Fixture(readCase(FIXTURES, name)), false);
}
