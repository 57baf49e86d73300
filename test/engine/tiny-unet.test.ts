import test from 'node:test';
import type { UnetConfig } from '../../shared/config/schema.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { tinyUnet } from '../../shared/engine/tiny-unet.js';
import { assertTrainsAlike } from './compare.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const reference = createReferenceEngine();

const nets: Record<string, Partial<UnetConfig>> = {
  'of one resolution': {},
  'with attention everywhere and two heads': { attention: 'all', heads: 2 },
  'of three resolutions, attention at one': { multipliers: [1, 2, 3], attention: [4], groups: 8 },
  'without blocks on the way down': { blocks: 0, multipliers: [1, 2] },
  'with dropout': { dropout: 0.3, blocks: 2 },
};

for (const [name, settings] of Object.entries(nets))
  test(`a U-Net ${name} has the reference's likelihoods and gradients`, () =>
    assertTrainsAlike(engine, reference, tinyUnet(settings)));
