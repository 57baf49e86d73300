import assert from 'node:assert/strict';
import test from 'node:test';
import type { UnetConfig } from '../../shared/config/schema.js';
import { countParameters, type NetworkShape } from '../../shared/networks/network.js';
import { unetParameters } from '../../shared/networks/unet/parameters.js';

const network = (settings: Partial<UnetConfig> = {}): UnetConfig => ({
  kind: 'unet',
  channels: 256,
  multipliers: [1],
  blocks: 32,
  attention: 'middle',
  heads: 1,
  groups: 32,
  dropout: 0,
  ...settings,
});
const cifar: NetworkShape = {
  height: 32,
  width: 32,
  channels: 3,
  maskChannels: 3,
  numInputClasses: 256,
  numOutputs: 768,
  factorization: 'any-order',
};
const count = (settings: Partial<UnetConfig> = {}, io: Partial<NetworkShape> = {}) =>
  countParameters(unetParameters(network(settings), { ...cifar, ...io }));

test('the U-Net has the published numbers of parameters', () => {
  assert.equal(count(), 123_921_536);
  assert.equal(count({ attention: 'all' }), 141_060_736);
  assert.equal(count({ attention: [32] }), 141_060_736);
  assert.equal(count({}, { maskChannels: 7 }), 123_928_448, 'upscale 4');
  assert.equal(count({ attention: 'all' }, { maskChannels: 7 }), 141_067_648, 'upscale 4, woven');
  assert.equal(count({}, { maskChannels: 11 }), 123_935_360, 'upscale 2');
  assert.equal(count({}, { maskChannels: 5 }), 123_924_992, 'upscale 16');
  assert.equal(count({}, { maskChannels: 7, numOutputs: 48 }), 122_268_848, 'upscale 4, direct');
  assert.equal(
    count({ channels: 64, blocks: 0, attention: [32] }, { maskChannels: 7 }),
    885_408,
    'smoke test',
  );
});

test('a residual block and the attention have the published numbers of parameters', () => {
  const specs = unetParameters(network(), cifar);
  const under = (prefix: string) => countParameters(specs.filter(({ name }) => name.startsWith(prefix)));
  assert.equal(under('down_0.block_0/'), 1_443_584);
  assert.equal(under('up_0.block_32/'), 2_165_248);
  assert.equal(under('mid.attn_1/'), 263_680);
  assert.equal(under('InputProcessingImage_0/TimeEmbedding_0/'), 1_312_768);
});

test('memory and checkpoint layouts hold the same elements', () => {
  const specs = unetParameters(network({ channels: 32, multipliers: [1, 2], blocks: 1, heads: 2 }), cifar);
  for (const { name, shape, originalShape, axes } of specs) {
    assert.equal(countParameters([{ shape }]), countParameters([{ shape: originalShape }]), name);
    if (axes)
      assert.deepEqual(
        [...axes].sort(),
        originalShape.map((_, i) => i),
        name,
      );
  }
  assert.equal(new Set(specs.map(({ name }) => name)).size, specs.length);
});

test('settings that do not fit together are refused by name', () => {
  const refused = (settings: Partial<UnetConfig>, words: RegExp, io: Partial<NetworkShape> = {}) =>
    assert.throws(() => count(settings, io), { name: 'UsageError', message: words });
  refused({ channels: 48 }, /model\.network\.groups is 32.* 48 channels of down_0\.block_0/);
  refused({ heads: 3 }, /model\.network\.heads is 3.* 256 channels of mid\.attn_1/);
  refused({ multipliers: [1, 1, 1, 1] }, /multiples of 8, but they are 28 x 28/, { height: 28, width: 28 });
});
