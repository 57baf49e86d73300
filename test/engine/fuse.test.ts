import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { traceProgram } from '../../shared/engine/trace/trace.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';

const MAPS = [1, 16, 1, 8];

/** Counts of the operations that make `build`'s maps from two others, on a CPU with blocked convolutions. */
function operationsOf(build: (conv: (x: Tensor) => Tensor, x: Tensor, y: Tensor, ops: Ops) => Tensor) {
  const program: Program = {
    name: 'maps',
    parameters: ['x', 'y'].map((name) => ({ name, shape: MAPS })),
    inputs: [
      { name: 'kernel', shape: [16, 16], dtype: 'float32' },
      { name: 'bias', shape: [16], dtype: 'float32' },
    ],
    outputs: [{ name: 'maps', shape: MAPS }],
    build: (ops, [x, y], { kernel, bias }) => ({
      maps: build((of) => ops.conv1x1(of, kernel!, bias!), x!, y!, ops),
    }),
  };
  const { nodes } = traceProgram(program, { device: 'cpu', channelBlock: 16 }).graph;
  const names = nodes.map(({ op, inputs, attributes }) =>
    op.endsWith(':Conv') ? `Conv of ${inputs.length}${(attributes['activation'] as string) ?? ''}` : op,
  );
  return names.filter((name) => /^(Conv|Add|Tanh|Sigmoid|Mul)/.test(name)).sort();
}

test('a convolution adds what its result would be added to', () =>
  assert.deepEqual(
    operationsOf((conv, x, y) => tf.add(conv(x), conv(y))),
    ['Conv of 3', 'Conv of 4'],
  ));

test('the first convolution of a sum adds what the sum would be added to', () => {
  const sumOf = (conv: (x: Tensor) => Tensor, y: Tensor) => tf.add(conv(y), conv(tf.square(y)));
  assert.deepEqual(
    operationsOf((conv, x, y) => tf.add(tf.tanh(conv(x)), sumOf(conv, y))),
    ['Conv of 3Tanh', 'Conv of 4', 'Conv of 4', 'Mul'],
  );
  // What is made later can't be added to earlier.
  assert.deepEqual(
    operationsOf((conv, x, y) => tf.add(sumOf(conv, y), tf.tanh(conv(x)))),
    ['Add', 'Conv of 3', 'Conv of 3Tanh', 'Conv of 4', 'Mul'],
  );
});

test('a convolution applies the activation that would come next, after a sum too', () =>
  assert.deepEqual(
    operationsOf((conv, x, y) => tf.tanh(tf.add(conv(tf.sigmoid(conv(x))), conv(y)))),
    ['Conv of 3', 'Conv of 3Sigmoid', 'Conv of 4Tanh'],
  ));

test('what is read elsewhere too, or is broadcast, stays', () => {
  assert.deepEqual(
    operationsOf((conv, x) => {
      const once = conv(x);
      return tf.mul(tf.tanh(once), tf.add(once, x));
    }),
    ['Add', 'Conv of 3', 'Mul', 'Tanh'],
  );
  assert.deepEqual(
    operationsOf((conv, x) => tf.add(conv(x), 1)),
    ['Add', 'Conv of 3'],
  );
});

test("the gradient of a gate's two convolutions is one sum", () => {
  const program: Program = {
    name: 'gate',
    parameters: ['first', 'second'].map((name) => ({ name, shape: [3, 16, 16] })),
    inputs: [
      { name: 'x', shape: MAPS, dtype: 'float32' },
      { name: 'bias', shape: [16], dtype: 'float32' },
    ],
    outputs: [{ name: 'loss', shape: [] }],
    gradientOf: 'loss',
    build(ops, [first, second], { x, bias }) {
      const conv = (of: Tensor, kernel: Tensor) => ops.dilatedConv(of, kernel, bias!, 2, false);
      const z = conv(x!, first!);
      return { loss: tf.sum(ops.gate(conv(z, first!), conv(z, second!))) };
    },
  };
  const { nodes } = traceProgram(program, { device: 'cpu', channelBlock: 16 }).graph;
  const added = nodes.filter(({ op, outputs }) => op === 'Add' && outputs[0]!.shape.length === 4);
  assert.equal(added.length, 0);
});
