import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { numbers } from '../../shared/engine/tiny-unet.js';
import { tf } from '../../shared/networks/tensors.js';
import { compareEngines } from './compare.js';

const engines = await Promise.all(
  [1, 2, 4].map((threads) => createOnnxruntimeEngine({ provider: 'cpu', threads })),
);

/** Up to 2^18 scores are worked on together: here parts of three rows and of one, and then of one row each. */
for (const [rows, [batch, heads, height, width]] of Object.entries({
  'some rows at a time': [2, 2, 16, 17],
  'one row at a time': [3, 1, 23, 23],
} satisfies Record<string, number[]>) as [string, [number, number, number, number]][]) {
  const shape = [batch, 4, height, width];

  test(`attention taken ${rows} agrees with the plain definition`, () =>
    compareEngines(engines[0]!, createReferenceEngine(), {
      name: 'attention',
      parameters: { query: shape, key: shape, value: shape },
      output: shape,
      build: (ops, p) => ops.attention(tf.mul(p.query!, 3), p.key!, p.value!, heads),
    }));

  test(`attention taken ${rows} gives the same bytes on 1, 2 and 4 threads`, async () => {
    const program: Program = {
      name: 'attention',
      parameters: ['query', 'key', 'value'].map((name) => ({ name, shape })),
      inputs: [],
      outputs: [{ name: 'loss', shape: [] }],
      gradientOf: 'loss',
      build: (ops, [query, key, value]) => ({
        loss: tf.sum(tf.square(ops.attention(query!, key!, value!, heads))),
      }),
    };
    const size = 3 * batch * 4 * height * width;
    const results: Float32Array[] = [];
    for (const engine of engines) {
      const [loss, gradients] = [new Float32Array(1), new Float32Array(size)];
      const executable = await engine.compile(program);
      await executable.run({ parameters: numbers(size, 7), inputs: {}, outputs: { loss }, gradients });
      await executable.dispose();
      results.push(Float32Array.of(...loss, ...gradients));
    }
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });
}
