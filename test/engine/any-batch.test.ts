import assert from 'node:assert/strict';
import test from 'node:test';
import { EngineError, type Program } from '../../shared/engine/engine.js';
import { traceForAnyBatch } from '../../shared/engine/trace/any-batch.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';

/** A program of one input x [batch, 6]. */
const programOf =
  (build: (x: Tensor, batch: number) => Tensor) =>
  (batch: number): Program => ({
    name: 'test',
    parameters: [],
    inputs: [{ name: 'x', dtype: 'float32', shape: [batch, 6] }],
    outputs: [{ name: 'y', shape: [batch, 6] }],
    build: (_ops, _parameters, { x }) => ({ y: build(x!, batch) }),
  });

const opsOf = (build: (x: Tensor, batch: number) => Tensor) => {
  const { graph } = traceForAnyBatch(programOf(build));
  const lists = graph.constants
    .filter(({ value }) => value.type === 'int64')
    .map(({ bytes }) => [...new BigInt64Array(bytes.buffer, bytes.byteOffset)].map(Number));
  return { ops: graph.nodes.map(({ op }) => op), lists };
};

test('an extent that depends on the batch is left for a reshape to infer', () => {
  const { ops, lists } = opsOf((x, batch) =>
    tf.reshape(tf.transpose(tf.reshape(x, [batch * 2, 3])), [batch, 6]),
  );
  assert.deepEqual(ops, ['Reshape', 'Transpose', 'Reshape']);
  assert.deepEqual(lists, [
    [-1, 3],
    [-1, 6],
  ]);
});

test('other lists are computed from the shape of the input', () => {
  const { ops, lists } = opsOf((x, batch) => tf.slice(tf.concat([x, x, x]), [2 * batch, 0], [batch, 6]));
  assert.deepEqual(ops, ['Shape', 'Mul', 'Add', 'Mul', 'Add', 'Concat', 'Slice']);
  assert.ok(lists.some((list) => `${list}` === '2,0') && lists.some((list) => `${list}` === '3,0'));
});

test('a graph that depends on the batch in numbers or operations is refused', () => {
  const wrong = [
    (x: Tensor, batch: number) => tf.mul(x, 1 / batch),
    (x: Tensor, batch: number) => (batch > 600 ? tf.neg(x) : tf.exp(x)),
    (x: Tensor, batch: number) => tf.tile(tf.slice(x, [batch % 41, 0], [1, 6]), [batch, 1]),
  ];
  for (const build of wrong)
    assert.throws(
      () => traceForAnyBatch(programOf(build)),
      (error) => error instanceof EngineError && /depends on the batch's size in a /.test(error.message),
    );
});
