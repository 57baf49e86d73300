import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import type { onnx as Onnx } from 'onnx-proto';
import { encodeOnnx } from '../../shared/engine/trace/encode.js';
import { Graph, type Value } from '../../shared/engine/trace/graph.js';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Onnx };

test('what no other node reads comes last, and of that first what was recorded last', () => {
  const graph = new Graph();
  const unary = (op: string, x: Value) => graph.add(op, [x], 'float32', [x.shape])[0]!;
  const x = graph.input('x', 'float32', [3]);
  const first = unary('Exp', unary('Neg', x));
  const second = unary('Sqrt', unary('Abs', x));
  const outputs = new Map([
    ['first', first],
    ['second', second],
  ]);
  const model = onnx.ModelProto.decode(encodeOnnx(graph.prune([first, second]), outputs));
  assert.deepEqual(
    model.graph!.node!.map(({ opType }) => opType),
    ['Neg', 'Abs', 'Sqrt', 'Exp'],
  );
});
