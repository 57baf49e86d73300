import assert from 'node:assert/strict';
import test from 'node:test';
import { fromOriginal, toOriginal } from '../../shared/model/layout.js';
import { countParameters, type ParameterSpec } from '../../shared/networks/network.js';
import { unetParameters } from '../../shared/networks/unet/parameters.js';
import { tinyModel } from './tiny-model.js';

test('memory is the transpose of the original', () => {
  const spec: ParameterSpec = {
    name: 'kernel',
    shape: [4, 3, 2],
    originalShape: [2, 4, 3],
    axes: [1, 2, 0],
    init: { kind: 'zeros' },
  };
  const original = Float32Array.from({ length: 24 }, (_, i) => i);
  const memory = new Float32Array(24);
  fromOriginal(spec, original, memory);
  for (let a = 0; a < 2; a++)
    for (let b = 0; b < 4; b++)
      for (let c = 0; c < 3; c++) assert.equal(memory[(b * 3 + c) * 2 + a], original[(a * 4 + b) * 3 + c]);
});

test('every parameter of a U-Net comes back from the original order as it was', () => {
  const { config, description } = tinyModel();
  const network = { ...config.network, heads: 2, multipliers: [1, 2] };
  for (const spec of unetParameters(network, description.networkShape)) {
    const memory = Float32Array.from({ length: countParameters([spec]) }, (_, i) => i);
    const [original, back] = [memory.slice().fill(0), memory.slice().fill(0)];
    toOriginal(spec, memory, original);
    fromOriginal(spec, original, back);
    assert.deepEqual(back, memory, spec.name);
    if (spec.axes && spec.shape.every((extent) => extent > 1))
      assert.notDeepEqual(original, memory, spec.name);
    else assert.equal(original.toSorted().join(), memory.join(), spec.name);
  }
});
