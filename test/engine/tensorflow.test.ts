import assert from 'node:assert/strict';
import test from 'node:test';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { createTensorflowEngine, findNativePackage } from '../../shared/engine/tensorflow.js';
import { tinyUnet } from '../../shared/engine/tiny-unet.js';
import { tf } from '../../shared/networks/tensors.js';
import { unchecked } from '../support/unchecked.js';
import { assertTrainsAlike } from './compare.js';
import { checkModelFixture, MODEL_CASES } from './model-fixture.js';

const absent = findNativePackage(false) === undefined;

/** A test of the native library, which npm alone can't always install: scripts/build-tfjs-node.sh builds it. */
function nativeTest(name: string, run: () => Promise<void>): void {
  test(name, (t) => (absent ? unchecked(t, 'the tensorflow engine: no tfjs-node is installed') : run()));
}

const start = () => createTensorflowEngine({ threads: 1 });

nativeTest('a U-Net has the likelihoods and gradients of the reference', async () => {
  const tiny = tinyUnet({ multipliers: [1, 2], attention: 'all', dropout: 0.3 });
  await assertTrainsAlike(await start(), createReferenceEngine(), tiny);
});

for (const name of MODEL_CASES)
  nativeTest(`tensorflow agrees with the original on ${name}`, async () =>
    checkModelFixture(await start(), name),
  );

nativeTest('50 calls give the same bytes and leave no tensor behind', async () => {
  const executable = await (await start()).compile(tinyUnet().program);
  const { numParameters, call } = tinyUnet();
  const first = call();
  await executable.run(first);
  const numTensors = tf.memory().numTensors;
  const shared = new Float32Array(new SharedArrayBuffer(4 * numParameters));
  shared.set(first.parameters);
  for (let i = 0; i < 50; i++) {
    const again = { ...call(), parameters: shared };
    await executable.run(again);
    assert.deepEqual(again.gradients, first.gradients);
    assert.deepEqual(again.outputs, first.outputs);
  }
  assert.equal(tf.memory().numTensors, numTensors);
  const native = tf.backend() as unknown as { getNumOfTFTensors(): number };
  assert.equal(native.getNumOfTFTensors(), 0);
});

nativeTest('a GPU that TensorFlow cannot use is an error, not a slow CPU', async () => {
  await start();
  await assert.rejects(createTensorflowEngine({ gpu: 0 }), {
    name: 'EngineError',
    message: /found no GPU 0 that it can use/,
  });
});
