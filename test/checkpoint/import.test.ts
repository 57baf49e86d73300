import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parseFlax } from '../../shared/checkpoint/flax.js';
import { importTrainState, type ImportOptions } from '../../shared/checkpoint/import.js';
import { trainStateOf } from '../../shared/checkpoint/train-state.js';
import { UserError } from '../../shared/errors.js';
import type { ParameterSpec } from '../../shared/networks/network.js';
import { FIXTURES } from '../parity/fixture.js';
import { encodeFlax, float32, int32, NumpyArray } from './flax-file.js';

const init = { kind: 'zeros' } as const;
/** The model that `flax-images.msgpack` is of, and but for an embedding's row, `flax-text.msgpack`. */
const parameters: readonly ParameterSpec[] = [
  {
    name: 'down_0.block_0/conv1/kernel',
    shape: [9, 4, 2],
    originalShape: [3, 3, 2, 4],
    axes: [0, 1, 3, 2],
    init,
  },
  { name: 'Embed_0/embedding', shape: [4, 2], originalShape: [4, 2], init },
  { name: 'down_0.block_0/conv1/bias', shape: [4], originalShape: [4], init },
];
const options: ImportOptions = { file: 'ckpt_4', config: 'c.yaml', parameters, numClasses: 4, numSteps: 6 };

const trainState = (bytes: Uint8Array) => trainStateOf(parseFlax(bytes), 'ckpt_4');
const fixture = (name: string) => trainState(readFileSync(path.join(FIXTURES, name)));

/** A train state of `dense/kernel` alone. */
const denseOnly = (array: unknown, more = {}) =>
  encodeFlax({
    step: 5,
    params: { dense: { kernel: array } },
    ema_params: { dense: { kernel: array } },
    ...more,
  });
const dense = { name: 'dense/kernel', shape: [2], originalShape: [2], init };

function refused(act: () => unknown, ...lines: string[]): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof UserError);
    assert.deepEqual(error.message.split('\n'), lines);
    return true;
  });
}

test("a run of images is imported: all four arrays, and the optimizer's step", () => {
  const train = fixture('flax-images.msgpack');
  const { state, notes } = importTrainState(train, options);
  assert.equal(train.step, 1170);
  assert.deepEqual(notes, []);
  const kernel = [1, 5, 2, 6, 3, 7, 4, 8, 9, 13, 10, 14];
  const rest = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4];
  const scales = { parameters: 1, ema: 0.5, firstMoment: 0.25, secondMoment: 0.125 };
  for (const [array, scale] of Object.entries(scales)) {
    const values = [...state[array as keyof typeof scales]].map((value) => value / scale);
    assert.deepEqual(values.slice(0, 12), kernel);
    assert.deepEqual(values.slice(72), rest);
  }
  assert.deepEqual(
    [...state.components],
    Array.from({ length: 6 }, () => NaN),
  );
});

test('an embedding that lacks the absorbing row is completed by its last, and that is said', () => {
  const train = fixture('flax-text.msgpack');
  const { state, notes } = importTrainState(train, { ...options, numClasses: 3 });
  assert.equal(train.step, 70_000);
  assert.deepEqual([...state.ema.subarray(72, 80)], [0.5, 1, 1.5, 2, 2.5, 3, 2.5, 3]);
  assert.deepEqual(notes, [
    'Embed_0/embedding has 3 rows, the model 4: that of the absorbing class is a copy of the last, which the original looked up for it',
  ]);
});

test('any other lack of a row is an error', () => {
  refused(
    () => importTrainState(fixture('flax-text.msgpack'), options),
    'ckpt_4 does not fit the model of c.yaml. Its params:',
    '  has other shapes: Embed_0/embedding, [3, 2] there, [4, 2] here',
    'Name the config of the run that wrote it, or change single settings with --set',
  );
});

test('without state of Adam both moments are zero, and that is said', () => {
  const array = float32([2], Float32Array.of(3, 4));
  for (const more of [{}, { opt_state: {} }, { opt_state: { 0: { trace: { a: array } } } }]) {
    const train = trainState(denseOnly(array, more));
    const { state, notes } = importTrainState(train, { ...options, parameters: [dense] });
    assert.equal(train.step, 5);
    assert.deepEqual([...state.parameters, ...state.firstMoment, ...state.secondMoment], [3, 4, 0, 0, 0, 0]);
    assert.deepEqual(notes, [
      'there is no state of Adam (count, mu, nu): training would go on with both moments at zero',
    ]);
  }
});

test('tensors that lack or are too many are listed, the first few', () => {
  const specs = [...parameters, ...[1, 2, 3, 4].map((n) => ({ ...dense, name: `dense${n}/kernel` }))];
  refused(
    () => importTrainState(fixture('flax-images.msgpack'), { ...options, parameters: specs.slice(1) }),
    'ckpt_4 does not fit the model of c.yaml. Its params:',
    '  lacks 4 tensors (dense1/kernel, dense2/kernel, dense3/kernel, ...) of the model',
    '  has "down_0.block_0/conv1/kernel" that the model lacks',
    'Name the config of the run that wrote it, or change single settings with --set',
  );
});

test('moments of other shapes than the parameters are refused', () => {
  const array = float32([2], new Float32Array(2));
  const tree = (values: unknown) => ({ dense: { kernel: values } });
  const nu = tree(float32([1, 2], new Float32Array(2)));
  const train = trainState(denseOnly(array, { opt_state: { 0: { count: int32(5), mu: tree(array), nu } } }));
  assert.throws(
    () => importTrainState(train, { ...options, parameters: [dense] }),
    /Its nu of the optimizer:\n {2}has other shapes: dense\/kernel, \[1, 2\] there, \[2\] here\n/,
  );
});

test('types that are not floats of 32 or 64 bits are refused', () => {
  const train = trainState(denseOnly(new NumpyArray([2], 'bfloat16', new Uint8Array(4))));
  refused(
    () => importTrainState(train, { ...options, parameters: [dense] }),
    'ckpt_4: dense/kernel in its params is "bfloat16"; float32 and float64 are read. Save it as float32',
  );
});

test('what is no train state is refused, and what it has is listed', () => {
  refused(
    () => trainState(encodeFlax({ params: {}, batch_stats: {} })),
    'ckpt_4 is no train state of the original, which has params and ema_params; it has "params", "batch_stats"',
  );
  refused(() => trainState(denseOnly(1, { step: -1 })), 'ckpt_4 does not tell its step as a whole number');
});
