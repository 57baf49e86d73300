import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { tf } from '../../shared/networks/tensors.js';
import { checkModelFixture } from './model-fixture.js';

const engine = createReferenceEngine();

for (const name of ['unet-oa-softmax256', 'unet-upscale-direct'])
  test(`the reference agrees with the original on ${name}`, () => checkModelFixture(engine, name));

/** loss = sum((a x)^2), with a parameter that has no part in it. */
const square: Program = {
  name: 'square',
  parameters: [
    { name: 'unused', shape: [2] },
    { name: 'a', shape: [3] },
  ],
  inputs: [{ name: 'x', dtype: 'uint8', shape: [3] }],
  outputs: [
    { name: 'loss', shape: [] },
    { name: 'product', shape: [3] },
  ],
  gradientOf: 'loss',
  build(_, [, a], { x }) {
    const product = tf.mul(a!, tf.cast(x!, 'float32'));
    return { product, loss: tf.sum(tf.square(product)) };
  },
};

test('outputs and gradients are written in place, zero where a parameter has no part', async () => {
  const executable = await engine.compile(square);
  const outputs = { loss: new Float32Array(1), product: new Float32Array(3) };
  const gradients = new Float32Array(5).fill(9);
  const tensors = tf.memory().numTensors;
  await executable.run({
    parameters: Float32Array.of(7, 7, 1, 2, 3),
    inputs: { x: Uint8Array.of(1, 0, 2) },
    outputs,
    gradients,
  });
  assert.deepEqual([...outputs.loss, ...outputs.product], [37, 1, 0, 6]);
  assert.deepEqual([...gradients], [0, 0, 2, 0, 24]);
  assert.equal(tf.memory().numTensors, tensors);
});

test('a call with an array of the wrong length or type is refused by its name', async () => {
  const executable = await engine.compile(square);
  const call = {
    parameters: new Float32Array(5),
    inputs: { x: new Uint8Array(3) },
    outputs: { loss: new Float32Array(1), product: new Float32Array(3) },
    gradients: new Float32Array(5),
  };
  const refused = (change: object, message: RegExp) =>
    assert.rejects(executable.run({ ...call, ...change }), { name: 'EngineError', message });
  await refused({ parameters: new Float32Array(4) }, /square: parameters should be a Float32Array of 5/);
  await refused(
    { inputs: { x: new Int32Array(3) } },
    /input x should be a Uint8Array of 3.*a Int32Array of 3/,
  );
  await refused({ outputs: { loss: new Float32Array(1) } }, /output product .* missing/);
  await refused({ gradients: undefined }, /gradients .* missing/);
});

test('a program that does not return what it declares is refused by the name of the output', async () => {
  const wrong = await engine.compile({ ...square, build: (_, [, a]) => ({ loss: tf.sum(a!) }) });
  const call = {
    parameters: new Float32Array(5),
    inputs: { x: new Uint8Array(3) },
    outputs: { loss: new Float32Array(1), product: new Float32Array(3) },
    gradients: new Float32Array(5),
  };
  await assert.rejects(wrong.run(call), {
    name: 'EngineError',
    message: /output product should be float32 \[3\], but build gave none/,
  });
});
