import assert from 'node:assert/strict';
import test from 'node:test';
import type { NetworkConfig } from '../../shared/config/schema.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { offsetsOf, sizeOf } from '../../shared/engine/program.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { tinyUnet } from './tiny-unet.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const reference = createReferenceEngine();

const nets: Record<string, Partial<NetworkConfig>> = {
  'of one resolution': {},
  'with attention everywhere and two heads': { attention: 'all', heads: 2 },
  'of three resolutions, attention at one': { multipliers: [1, 2, 3], attention: [4], groups: 8 },
  'without blocks on the way down': { blocks: 0, multipliers: [1, 2] },
  'with dropout': { dropout: 0.3, blocks: 2 },
};

for (const [name, settings] of Object.entries(nets))
  test(`a U-Net ${name} has the reference's likelihoods and gradients`, async () => {
    const { program, call } = tinyUnet(settings);
    const results = [];
    for (const each of [reference, engine]) {
      const executable = await each.compile(program);
      const made = call();
      await executable.run(made);
      await executable.dispose();
      results.push(made);
    }
    const [expected, actual] = results as [(typeof results)[0], (typeof results)[0]];
    expected.outputs.logLikelihood!.forEach((value, i) =>
      assert.ok(Math.abs(value - actual.outputs.logLikelihood![i]!) <= 1e-5 * Math.abs(value)),
    );
    const largestOfAll = largest(expected.gradients);
    offsetsOf(program.parameters).forEach((from, i) => {
      const spec = program.parameters[i]!;
      const to = from + sizeOf(spec.shape);
      const truth = expected.gradients.subarray(from, to);
      const off = largest(truth.map((value, j) => value - actual.gradients[from + j]!));
      // Some gradients are zero in truth, as that of the key's bias: they are rounding noise.
      const allowed = Math.max(1e-4 * largest(truth), 1e-6 * largestOfAll);
      assert.ok(off <= allowed, `gradient of ${spec.name}: off by ${off} of ${largest(truth)}`);
    });
  });

function largest(values: Float32Array): number {
  return values.reduce((max, value) => (Math.abs(value) <= max ? max : Math.abs(value)), 0);
}
