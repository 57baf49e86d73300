import assert from 'node:assert/strict';
import test from 'node:test';
import type { InputArray } from '../../shared/engine/engine.js';
import { embedTimeStep } from '../../shared/method/time-embedding.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { likelihoodProgram } from '../../shared/model/program.js';
import { TINY_DIFFWAVE, TINY_TRANSFORMER, TINY_UNET, tinyModelOf, type TinyModel } from './tiny-model.js';

/** The inputs of a likelihood of two rows; the second is filled in. */
function inputsOf({ description, config }: TinyModel) {
  const inputs = new ModelInputs(description, config, likelihoodProgram(description, config, 2));
  const row = (name: string) => {
    const array: InputArray = inputs.arrays[name]!;
    return [...array.subarray(array.length / 2)];
  };
  return { inputs, row };
}

/** The ranks of section 10.3. */
const order = Int32Array.of(2, 0, 3, 1);

const pixels = { shape: [2, 2, 1], numClasses: 256 } as const;

test('a model without stages reads what is known, and the absorbing class elsewhere', () => {
  const { inputs, row } = inputsOf(tinyModelOf({ network: TINY_UNET }, pixels));
  const x = Uint8Array.of(7, 8, 9, 10);
  inputs.setExample(1, x, order, 2);
  assert.deepEqual(row('classes'), [128, 8, 128, 10]);
  assert.deepEqual(row('mask'), [0, 1, 0, 1]);
  const time = new Float32Array(8);
  embedTimeStep(2, 4, time);
  assert.deepEqual(row('time'), [...time]);
  inputs.setScored(1, x, order, 2, 2, 4);
  assert.deepEqual(row('scored'), [1, 0, 1, 0]);
  inputs.setScored(1, x, order, 1, 1, 3);
  assert.deepEqual(row('scored'), [1, 0, 0, 1]);
  assert.deepEqual(row('target'), [7, 8, 9, 10]);
  assert.ok(Object.values(inputs.arrays).every((array) => array.subarray(0, 4).every((x) => x === 0)));
});

for (const [base, stage, past, future, digit] of [
  [4, 0, 0, 128, 2],
  [4, 1, 128, 160, 2],
  [4, 2, 160, 172, 3],
  [4, 3, 172, 173, 1],
  [16, 0, 0, 160, 10],
  [16, 1, 160, 173, 13],
] as const)
  test(`173 in stage ${stage} of base ${base} goes from ${past} to ${future}`, () => {
    const numStages = base === 4 ? 4 : 2;
    const upscale = { base, parametrization: 'direct' };
    const { inputs, row } = inputsOf(tinyModelOf({ kind: 'upscale', upscale, network: TINY_UNET }, pixels));
    const x = Uint8Array.of(173, 173, 173, 173);
    const step = stage * 4 + 2;
    inputs.setExample(1, x, order, step);
    inputs.setScored(1, x, order, step, 2, 4);
    assert.deepEqual(row('classes'), [past, future, past, future]);
    const oneHot = Array.from({ length: numStages }, (_, s) => Number(s === stage));
    assert.deepEqual(row('mask'), [0, 1, 0, 1, ...oneHot.flatMap((on) => [on, on, on, on])]);
    const time = new Float32Array(8);
    embedTimeStep(step, 4 * numStages, time);
    assert.deepEqual(row('time'), [...time], 'the step through all stages');
    assert.deepEqual(row('scored'), [1, 0, 1, 0]);
    assert.deepEqual(row('target'), [digit, digit, digit, digit]);
    assert.deepEqual(row('stage'), oneHot);
  });

test('the data parametrisation is told the class before a stage and after it, and how many siblings', () => {
  const model = tinyModelOf({ kind: 'upscale', upscale: { base: 4 }, network: TINY_UNET }, pixels);
  const { inputs, row } = inputsOf(model);
  inputs.setScored(1, Uint8Array.of(173, 0, 255, 173), order, 2 * 4, 0, 4);
  assert.deepEqual(row('within'), [160, 0, 240, 160]);
  assert.deepEqual(row('target'), [172, 0, 252, 172]);
  assert.deepEqual(row('siblings'), [4, 4, 4, 4]);
  assert.deepEqual(row('children').slice(170, 177), [168, 168, 172, 172, 172, 172, 176]);
  assert.deepEqual(row('parents').slice(158, 162), [144, 144, 160, 160]);
});

test('a single stage is told as well', () => {
  const upscale = { base: 256, parametrization: 'direct' };
  const { inputs, row } = inputsOf(tinyModelOf({ kind: 'upscale', upscale, network: TINY_UNET }, pixels));
  inputs.setExample(1, Uint8Array.of(1, 2, 3, 4), order, 2);
  assert.deepEqual(row('mask'), [0, 1, 0, 1, 1, 1, 1, 1]);
  assert.deepEqual(row('classes'), [0, 2, 0, 4]);
});

test('16-bit classes keep all of their bits: 40000 in its four digits of base 16', () => {
  const data = { shape: [1, 4, 1], numClasses: 65_536 } as const;
  const upscale = { base: 16, parametrization: 'direct' };
  const { inputs, row } = inputsOf(tinyModelOf({ kind: 'upscale', upscale, network: TINY_DIFFWAVE }, data));
  const x = Uint16Array.of(40_000, 65_535, 0, 40_000);
  [
    { past: 0, future: 36_864, digit: 9 },
    { past: 36_864, future: 39_936, digit: 12 },
    { past: 39_936, future: 40_000, digit: 4 },
    { past: 40_000, future: 40_000, digit: 0 },
  ].forEach(({ past, future, digit }, stage) => {
    inputs.setExample(1, x, order, 4 * stage + 2);
    inputs.setScored(1, x, order, 4 * stage + 2, 2, 4);
    assert.deepEqual([row('classes')[0], row('classes')[3]], [past, future]);
    assert.deepEqual(row('target'), [digit, 15, 0, digit]);
  });
});

test('a context is known, in its place, and not scored', () => {
  const data = { shape: [1, 6, 1], numClasses: 28, numContext: 2 } as const;
  const x = Uint8Array.of(20, 21, 7, 8, 9, 10);
  const { inputs, row } = inputsOf(tinyModelOf({ network: TINY_TRANSFORMER }, data));
  inputs.setExample(1, x, order, 2);
  inputs.setScored(1, x, order, 2, 2, 4);
  assert.deepEqual(row('classes'), [20, 21, 28, 8, 28, 10]);
  assert.deepEqual(row('scored'), [0, 0, 1, 0, 1, 0]);
  assert.equal(inputs.locationOf(3, order), 3);

  const upscale = { map: 'augment-text8' };
  const staged = inputsOf(tinyModelOf({ kind: 'upscale', upscale, network: TINY_TRANSFORMER }, data));
  staged.inputs.setExample(1, x, order, 2);
  assert.deepEqual(staged.row('classes'), [20, 21, 30, 29, 30, 28], 'all of it from the first stage on');
});

test('a context is known to the mask too', () => {
  const data = { shape: [1, 6, 1], numClasses: 256, numContext: 2 } as const;
  const { inputs, row } = inputsOf(tinyModelOf({ network: TINY_DIFFWAVE }, data));
  inputs.setExample(1, Uint8Array.of(20, 21, 7, 8, 9, 10), order, 2);
  assert.deepEqual(row('mask'), [1, 1, 0, 1, 0, 1]);
});

test('left to right, everything is given and everything is scored', () => {
  const data = { shape: [1, 4, 1], numClasses: 28 } as const;
  const { inputs, row } = inputsOf(tinyModelOf({ kind: 'arm', network: TINY_TRANSFORMER }, data));
  const x = Uint8Array.of(7, 8, 9, 10);
  inputs.setExample(1, x, order, 0);
  inputs.setScored(1, x, order, 0, 0, 4);
  assert.deepEqual(row('classes'), [7, 8, 9, 10]);
  assert.deepEqual(row('scored'), [1, 1, 1, 1]);
});

test('permuted, classes come in the order of generation with the position of each', () => {
  const data = { shape: [1, 4, 1], numClasses: 28 } as const;
  const { inputs, row } = inputsOf(tinyModelOf({ kind: 'permuted', network: TINY_TRANSFORMER }, data));
  const x = Uint8Array.of(7, 8, 9, 10);
  inputs.setExample(1, x, order, 0);
  inputs.setScored(1, x, order, 0, 0, 4);
  assert.deepEqual(row('classes'), [8, 10, 7, 9]);
  assert.deepEqual(row('positions'), [1, 3, 0, 2]);
  assert.deepEqual(row('target'), [8, 10, 7, 9]);
  assert.deepEqual(row('scored'), [1, 1, 1, 1]);
  assert.equal(inputs.locationOf(2, order), 3, 'its distribution stands at its rank');
});

test('the channels of a pixel are known and scored together with the RGB logistic output', () => {
  const data = { shape: [2, 2, 3], numClasses: 256 } as const;
  const { inputs, row } = inputsOf(tinyModelOf({ output: 'logistic-rgb', network: TINY_UNET }, data));
  const x = Uint8Array.from({ length: 12 }, (_, v) => v);
  inputs.setExample(1, x, order, 2);
  inputs.setScored(1, x, order, 2, 2, 3);
  assert.deepEqual(row('mask'), [0, 1, 0, 1]);
  // Red of all pixels, then green, then blue.
  assert.deepEqual(row('classes'), [...[128, 3, 128, 9], ...[128, 4, 128, 10], ...[128, 5, 128, 11]]);
  assert.deepEqual(row('scored'), [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  assert.equal(inputs.locationOf(7, order), 2);
});

test('what is being generated is read as it is', () => {
  const model = tinyModelOf({ kind: 'upscale', upscale: { base: 16 }, network: TINY_UNET }, pixels);
  const { inputs, row } = inputsOf(model);
  inputs.setState(1, Int32Array.of(160, 173, 160, 175), order, 6);
  assert.deepEqual(row('classes'), [160, 173, 160, 175]);
  assert.deepEqual(row('mask'), [0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
});
