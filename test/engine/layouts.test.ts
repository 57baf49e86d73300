import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { traceProgram } from '../../shared/engine/trace/trace.js';
import { tf } from '../../shared/networks/tensors.js';

const MAPS = [2, 16, 4, 8];

/** A residual block without its time embedding, and the gradient of all its parameters. */
const block: Program = {
  name: 'block',
  parameters: [
    { name: 'x', shape: MAPS },
    { name: 'kernel', shape: [9, 16, 16] },
    { name: 'scale', shape: [16] },
    { name: 'bias', shape: [16] },
  ],
  inputs: [{ name: 'mask', shape: MAPS, dtype: 'uint8' }],
  outputs: [{ name: 'loss', shape: [] }],
  gradientOf: 'loss',
  build(ops, [x, kernel, scale, bias], { mask }) {
    const normal = ops.groupNorm(x!, scale!, bias!, 4, true);
    const dropped = ops.dropout(ops.conv3x3(normal, kernel!, bias), mask!, 0.9);
    const y = tf.add(x!, ops.conv3x3(ops.swish(dropped), kernel!, bias));
    return { loss: tf.sum(tf.mul(y, y)) };
  },
};

test('maps are reordered where they come in and go out, and stay blocked in between', () => {
  const { graph } = traceProgram(block, { device: 'cpu', channelBlock: 16 });
  // A rearrangement inside a product takes blocks of channels for maps; its rows are k wide.
  const reorderings = graph.nodes.filter(
    ({ op, outputs }) => op.includes(':Reorder') && outputs[0]!.shape[3] === MAPS[3],
  );
  const count = (op: string) => reorderings.filter((node) => node.op.endsWith(op)).length;
  assert.deepEqual(
    { into: count('ReorderInput'), outOf: count('ReorderOutput') },
    // In: x and the mask. Out: the squares, for their sum, and the gradient of x.
    { into: 2, outOf: 2 },
  );
});
