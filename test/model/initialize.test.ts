import assert from 'node:assert/strict';
import test from 'node:test';
import { initializeParameters } from '../../shared/model/initialize.js';
import type { Initializer } from '../../shared/networks/network.js';
import { tinyModel } from './tiny-model.js';

const spec = (init: Initializer, size = 40_000) => ({
  name: 'x',
  shape: [size],
  originalShape: [size],
  init,
});

function drawn(...inits: Initializer[]): Float32Array[] {
  const into = new Float32Array(40_000 * inits.length).fill(9);
  initializeParameters(
    inits.map((init) => spec(init)),
    5,
    into,
  );
  return inits.map((_, i) => into.subarray(40_000 * i, 40_000 * (i + 1)));
}

const moment = (values: Float32Array, power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

test('each kind of start has its distribution', () => {
  const [zeros, ones, normal, truncated] = drawn(
    { kind: 'zeros' },
    { kind: 'ones' },
    { kind: 'normal', std: 0.25 },
    { kind: 'truncatedNormal', variance: 0.01 },
  );
  assert.ok(zeros!.every((value) => value === 0));
  assert.ok(ones!.every((value) => value === 1));
  assert.ok(Math.abs(moment(normal!, 1)) < 0.006);
  assert.ok(Math.abs(moment(normal!, 2) / 0.25 ** 2 - 1) < 0.04);
  assert.ok(Math.abs(moment(truncated!, 1)) < 0.0025);
  assert.ok(Math.abs(moment(truncated!, 2) / 0.01 - 1) < 0.04, 'the cut is made up for');
  const largest = truncated!.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  assert.ok(largest <= (2 * 0.1) / 0.8796 && largest > (1.95 * 0.1) / 0.8796);
});

test('equal tensors at different places start differently, and the seed matters', () => {
  const init: Initializer = { kind: 'normal', std: 1 };
  const [one, two] = drawn(init, init);
  assert.notDeepEqual(one, two);
  const other = new Float32Array(40_000);
  initializeParameters([spec(init)], 6, other);
  assert.notDeepEqual(other, one);
  initializeParameters([spec(init)], 5, other);
  assert.deepEqual(other, one);
});

test('a fresh model starts every parameter where its layer says', () => {
  const { description } = tinyModel();
  const into = new Float32Array(description.numParameters).fill(NaN);
  initializeParameters(description.parameters, 0, into);
  assert.ok(into.every(Number.isFinite));
});
