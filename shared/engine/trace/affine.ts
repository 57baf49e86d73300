import type { Constant, Node, PrunedGraph, Value } from './graph.js';

/**
 * The same graph without the BatchNormalization that stands for x * factor + offset on GPUs: of mean 0 and variance 1, and with numbers that
 * are computed, it is more than most other runtimes take. A product and a sum are plain.
 */
export function withoutBatchNormalization(graph: PrunedGraph): PrunedGraph {
  const lists = new Map<number, Constant>();
  const listOf = (rows: number): Value => {
    const bytes = new Uint8Array(BigInt64Array.of(1n, BigInt(rows), 1n, 1n).buffer);
    const value: Value = { name: `channels${rows}`, type: 'int64', shape: [4] };
    lists.set(rows, lists.get(rows) ?? { value, bytes });
    return lists.get(rows)!.value;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op !== 'BatchNormalization') return [node];
    const [x, factor, offset] = node.inputs as [Value, Value, Value];
    const [y] = node.outputs as [Value];
    const perChannel = (name: string, value: Value): Node => {
      const rows = value.shape[0]!;
      const output: Value = { name: `${y.name}/${name}`, type: 'float32', shape: [1, rows, 1, 1] };
      return { op: 'Reshape', inputs: [value, listOf(rows)], outputs: [output], attributes: {} };
    };
    const [factors, offsets] = [perChannel('factor', factor), perChannel('offset', offset)];
    const product: Value = { ...y, name: `${y.name}/product` };
    return [
      factors,
      offsets,
      { op: 'Mul', inputs: [x, factors.outputs[0]!], outputs: [product], attributes: {} },
      { op: 'Add', inputs: [product, offsets.outputs[0]!], outputs: [y], attributes: {} },
    ];
  });
  return { ...graph, nodes, constants: [...graph.constants, ...lists.values()] };
}
