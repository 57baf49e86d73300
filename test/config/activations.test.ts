import assert from 'node:assert/strict';
import test from 'node:test';
import { activationBytes } from '../../shared/config/activations.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { describeModel, type ModelData } from '../../shared/model/description.js';

const MB = 1e6;
const letters = (length: number): ModelData => ({ shape: [1, length, 1], numClasses: 28 });
const samples = (length: number): ModelData => ({ shape: [1, length, 1], numClasses: 65_536 });
const transformer = (layers: number, width: number, heads: number, kind = 'oa') => ({
  kind,
  network: { kind: 'transformer', layers, width, heads, mlpWidth: 4 * width },
});
const diffwave = (blocks: number, channels: number, more: object = { output: 'logistic' }) => ({
  ...more,
  network: { kind: 'diffwave', blocks, channels },
});
const stages = { kind: 'upscale', upscale: { base: 16, parametrization: 'direct' } };

/** What each further example of a slice was measured to add to the memory of a process that trains on one CPU thread. */
const MEASURED: [name: string, model: object, data: ModelData, bytes: number][] = [
  ['transformer 4 x 256', transformer(4, 256, 4), letters(250), 24.6 * MB],
  ['the same, permuted', transformer(4, 256, 4, 'permuted'), letters(250), 25.8 * MB],
  ['transformer 6 x 128', transformer(6, 128, 4), letters(250), 15.0 * MB],
  ['transformer 4 x 128, long', transformer(4, 128, 2), letters(512), 22.0 * MB],
  ['transformer of the paper', transformer(12, 768, 12), letters(250), 211 * MB],
  ['diffwave 8 x 64', diffwave(8, 64), samples(4000), 54.1 * MB],
  ['diffwave 12 x 64', diffwave(12, 64), samples(16_000), 291 * MB],
  ['the same, causal', diffwave(12, 64, { kind: 'arm', output: 'logistic' }), samples(16_000), 283 * MB],
  ['the same, in stages', diffwave(12, 64, stages), samples(16_000), 256 * MB],
];

test('memory of a training step is estimated to a quarter of what was measured', () => {
  for (const [name, model, data, measured] of MEASURED) {
    const config: Config['model'] = configSchema.shape.model.parse(model);
    const estimate = activationBytes(config.network, describeModel(config, data).networkShape, 1);
    assert.ok(Math.abs(estimate / measured - 1) < 0.25, `${name}: ${estimate / MB} MB`);
  }
});
