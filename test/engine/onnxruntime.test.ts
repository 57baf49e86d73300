import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Call, Program } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { tf } from '../../shared/networks/tensors.js';
import { hashOfTraining } from './hash-of-training.js';
import { tinyUnet } from '../../shared/engine/tiny-unet.js';
import { checkModelFixture } from './model-fixture.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });

for (const name of ['unet-oa-softmax256', 'unet-upscale-direct'])
  test(`onnxruntime agrees with the original on ${name}`, () => checkModelFixture(engine, name));

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
const callOfSquare = (): Call & { gradients: Float32Array } => ({
  parameters: Float32Array.of(7, 7, 1, 2, 3),
  inputs: { x: Uint8Array.of(1, 0, 2) },
  outputs: { loss: new Float32Array(1), product: new Float32Array(3) },
  gradients: new Float32Array(5).fill(9),
});

test('outputs and gradients are written in place, zero where a parameter has no part', async () => {
  const executable = await engine.compile(square);
  const call = callOfSquare();
  await executable.run(call);
  assert.deepEqual([...call.outputs.loss!, ...call.outputs.product!], [37, 1, 0, 6]);
  assert.deepEqual([...call.gradients], [0, 0, 2, 0, 24]);
});

test('a program may return its inputs, a constant and one value twice', async () => {
  const executable = await engine.compile({
    name: 'copies',
    parameters: [{ name: 'a', shape: [2] }],
    inputs: [],
    outputs: ['same', 'one', 'first', 'second'].map((name) => ({ name, shape: [2] })),
    build(_, [a]) {
      const sum = tf.add(a!, 1);
      return { same: a!, one: tf.onesLike(a!), first: sum, second: tf.clone(sum) };
    },
  });
  const outputs = Object.fromEntries(
    executable.program.outputs.map(({ name }) => [name, new Float32Array(2)]),
  );
  await executable.run({ parameters: Float32Array.of(3, 4), inputs: {}, outputs });
  assert.deepEqual(
    Object.values(outputs).map((values) => [...values]),
    [
      [3, 4],
      [1, 1],
      [4, 5],
      [4, 5],
    ],
  );
});

test('a call with an array of the wrong length is refused by its name', async () => {
  const executable = await engine.compile(square);
  await assert.rejects(executable.run({ ...callOfSquare(), parameters: new Float32Array(4) }), {
    name: 'EngineError',
    message: /square: parameters should be a Float32Array of 5, but is a Float32Array of 4/,
  });
});

test('a kernel that cannot be recorded is named', async () => {
  const build: Program['build'] = (_, [, a]) => ({ product: a!, loss: tf.sum(tf.cumsum(a!)) });
  await assert.rejects(engine.compile({ ...square, name: 'running sum', build }), {
    name: 'EngineError',
    message: /running sum: .*kernel Cumsum/,
  });
});

test('an operation that the provider lacks is named', async () => {
  const build: Program['build'] = (_, [, a], { x }) => {
    const flag = tf.cast(x!, 'bool');
    const product = tf.mul(a!, tf.cast(tf.greater(flag, flag), 'float32'));
    return { product, loss: tf.sum(product) };
  };
  await assert.rejects(engine.compile({ ...square, build }), {
    name: 'EngineError',
    message: /square does not run on onnxruntime's provider cpu: it lacks Greater\(bool, bool\)\./,
  });
});

test('a program that reads its tensors is refused', async () => {
  const build: Program['build'] = (_, [, a]) => ({ product: a!, loss: tf.scalar(a!.dataSync()[0]!) });
  await assert.rejects(engine.compile({ ...square, build }), { name: 'EngineError', message: /read/ });
});

test('a provider that this build lacks is refused', async () => {
  await assert.rejects(createOnnxruntimeEngine({ provider: 'tpu' as 'cpu', threads: 1 }), {
    name: 'EngineError',
    message: /without tpu; it has cpu/,
  });
});

test('parameters and gradients in shared memory are used in place', async () => {
  const { program, numParameters, call } = tinyUnet();
  const executable = await engine.compile(program);
  const plain = call();
  await executable.run(plain);

  const pages = Math.ceil((8 * numParameters + 64) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const parameters = new Float32Array(memory.buffer, 16, numParameters);
  parameters.set(plain.parameters);
  const inMemory = new Float32Array(memory.buffer, 32 + 4 * numParameters, numParameters);
  await executable.run({ ...call(), parameters, gradients: inMemory });
  assert.deepEqual(inMemory, plain.gradients);

  const inBuffer = new Float32Array(new SharedArrayBuffer(4 * numParameters));
  await executable.run({ ...call(), parameters, gradients: inBuffer });
  assert.deepEqual(inBuffer, plain.gradients);
});

test('the same call gives the same bytes, again, on two threads and in another process', async () => {
  const one = await hashOfTraining(1);
  assert.equal(await hashOfTraining(1), one);
  assert.equal(await hashOfTraining(2), one);
  const script = fileURLToPath(new URL('./hash-of-training.js', import.meta.url));
  assert.equal(execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim(), one);
});

test('200 calls leave no tensor and no handle behind', async () => {
  const { program, call } = tinyUnet();
  const tensors = tf.memory().numTensors;
  const handles = process.getActiveResourcesInfo().length;
  const executable = await engine.compile(program);
  const made = call();
  for (let i = 0; i < 200; i++) await executable.run(made);
  await executable.dispose();
  assert.equal(tf.memory().numTensors, tensors);
  // The test runner itself opens and closes a few.
  assert.ok(process.getActiveResourcesInfo().length < handles + 10);
});
