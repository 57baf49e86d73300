import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiffwaveConfig } from '../../shared/config/schema.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { diffwaveParameters } from '../../shared/networks/diffwave/parameters.js';
import { countParameters, type NetworkShape } from '../../shared/networks/network.js';
import { assertTrainsAlike } from '../engine/compare.js';
import { checkModelFixture } from '../engine/model-fixture.js';
import { smallDiffwave } from './small-diffwave.js';

const network = (settings: Partial<DiffwaveConfig> = {}): DiffwaveConfig => ({
  kind: 'diffwave',
  channels: 256,
  blocks: 36,
  dilationCycle: 12,
  ...settings,
});
const sc09: NetworkShape = {
  height: 1,
  width: 16_000,
  channels: 1,
  maskChannels: 1,
  numInputClasses: 65_536,
  numOutputs: 90,
  factorization: 'any-order',
};
const count = (settings: Partial<DiffwaveConfig> = {}, io: Partial<NetworkShape> = {}) =>
  countParameters(diffwaveParameters(network(settings), { ...sc09, ...io }));

test('the audio network has the published numbers of parameters', () => {
  assert.equal(count(), 33_959_130);
  assert.equal(count({}, { maskChannels: 17, numOutputs: 32 }), 33_953_440, 'upscale 2');
  assert.equal(count({}, { maskChannels: 9, numOutputs: 32 }), 33_948_832, 'upscale 4');
  assert.equal(count({}, { maskChannels: 5, numOutputs: 64 }), 33_954_752, 'upscale 16');
  assert.equal(count({}, { maskChannels: 3, numOutputs: 512 }), 34_068_736, 'upscale 256');
  assert.equal(count({ blocks: 37 }) - count(), 787_712, 'a block');
  const factorization = 'left-to-right';
  assert.equal(count({}, { factorization }), 23_199_386, 'WaveNet of 256 channels');
  assert.equal(count({ channels: 128 }, { factorization }), 6_863_738, 'WaveNet of 128 channels');
});

test('images, and an order that is given, are refused', () => {
  assert.throws(() => count({}, { height: 28, width: 28 }), {
    name: 'UsageError',
    message: /diffwave, which reads sequences, but the examples are maps of 28 x 28/,
  });
  assert.throws(() => count({}, { factorization: 'permuted' }), { name: 'UsageError', message: /permuted/ });
});

const [reference, onnxruntime] = [
  createReferenceEngine(),
  await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 }),
];
for (const engine of [reference, onnxruntime])
  test(`outputs, loss and every gradient are the original's with ${engine.name}`, () =>
    checkModelFixture(engine, 'diffwave-upscale'));

/** Where the outputs change when one class does. */
async function reachOf(options: Parameters<typeof smallDiffwave>[0], at: number): Promise<readonly number[]> {
  const { program, call } = smallDiffwave(options);
  const executable = await onnxruntime.compile(program);
  const [before, after] = [call(), call()];
  after.inputs.classes![at]! ^= 1;
  for (const each of [before, after]) await executable.run(each);
  await executable.dispose();
  const rows = [0, 1, 2, 3, 4].map((row) => row * options.length);
  return Array.from({ length: options.length }, (_, position) => position).filter((position) =>
    rows.some((row) => before.outputs.outputs![row + position] !== after.outputs.outputs![row + position]),
  );
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('an output sees as far to either side as the dilations reach', async () => {
  // One sample by the input, then 1 + 2 + 4, and 1 again.
  assert.deepEqual(await reachOf({ length: 48, blocks: 4 }, 20), range(11, 30));
});

test('left to right, an output sees what lies before it only, as far as the dilations reach', async () => {
  const reached = await reachOf({ length: 48, factorization: 'left-to-right' }, 20);
  assert.deepEqual(reached, range(21, 21 + 2 * 8 + 1));
});

for (const factorization of ['any-order', 'left-to-right'] as const) {
  test(`training agrees with the reference, ${factorization}`, () =>
    assertTrainsAlike(onnxruntime, reference, smallDiffwave({ length: 24, batch: 2, factorization })));

  test(`training where dilations pass the ends of the sequence agrees with the reference, ${factorization}`, () => {
    const wide = { length: 20, blocks: 7, dilationCycle: 7, factorization };
    return assertTrainsAlike(onnxruntime, reference, smallDiffwave(wide));
  });
}
