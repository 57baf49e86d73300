import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import { traceProgram } from '../../shared/engine/trace/trace.js';
import { tf } from '../../shared/networks/tensors.js';

const [WIDTH, HIDDEN, LOCATIONS] = [16, 96, 4112];

/** Two dense layers at so many locations that they are computed in three parts. */
const block: Program = {
  name: 'block',
  parameters: [
    { name: 'first', shape: [HIDDEN, WIDTH] },
    { name: 'firstBias', shape: [HIDDEN] },
    { name: 'second', shape: [HIDDEN, WIDTH] },
    { name: 'secondBias', shape: [WIDTH] },
  ],
  inputs: [{ name: 'x', shape: [1, WIDTH, 1, LOCATIONS], dtype: 'float32' }],
  outputs: [{ name: 'loss', shape: [] }],
  gradientOf: 'loss',
  build(ops, [first, firstBias, second, secondBias], { x }) {
    const [one, two] = [
      { kernel: first!, bias: firstBias! },
      { kernel: second!, bias: secondBias! },
    ];
    const y = ops.feedForward(x!, one, two);
    return { loss: tf.sum(tf.mul(y, y)) };
  },
};

test('parameters are read and their gradients written part by part, where they lie', () => {
  const { graph, views, gradients, outputs } = traceProgram(block, { device: 'cpu', channelBlock: 16 });
  assert.deepEqual(
    graph.nodes.filter(({ op }) => op === 'Split' || op === 'Concat'),
    [],
  );
  assert.deepEqual(
    gradients.map((parts) => parts.length),
    [3, 3, 3, 1],
  );
  block.parameters.forEach(({ shape }, parameter) => {
    const written = gradients[parameter]!.map((name) => sizeOf(outputs.get(name)!.shape));
    assert.equal(
      written.reduce((sum, size) => sum + size),
      sizeOf(shape),
    );
    for (const { offset, value } of views.filter((view) => view.parameter === parameter))
      assert.ok(offset + sizeOf(value.shape) <= sizeOf(shape), value.name);
  });
  assert.deepEqual(
    views.filter(({ parameter }) => parameter === 1).map(({ offset }) => offset),
    [0, 0, 32, 64],
  );
});
