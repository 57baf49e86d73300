import type * as ort from 'onnxruntime-node';
import { encodeOnnx } from './trace/encode.js';
import type { Node, PrunedGraph } from './trace/graph.js';

/**
 * Why a provider refuses a graph: the operations that it refuses alone, each tried in a model of its own, because
 * ONNX Runtime doesn't name them. Undefined where it takes every one.
 */
export async function describeUnsupported(
  graph: PrunedGraph,
  create: (model: Uint8Array) => Promise<ort.InferenceSession>,
): Promise<string | undefined> {
  const kinds = new Map(graph.nodes.map((node) => [describe(node), node]));
  const refused: string[] = [];
  for (const [kind, node] of kinds) {
    try {
      const session = await create(alone(node, graph));
      await session.release();
    } catch {
      refused.push(kind);
    }
  }
  return refused.length === 0 ? undefined : `it lacks ${refused.join(', ')}.`;
}

/** `FusedMatMul(float32, float32)` */
function describe({ op, inputs }: Node): string {
  return `${op.split(':').at(-1)}(${inputs.map(({ type }) => type).join(', ')})`;
}

/** A model of one operation: its constants stay, all else comes from outside. */
function alone(node: Node, graph: PrunedGraph): Uint8Array {
  const names = new Set(node.inputs.map(({ name }) => name));
  const constants = graph.constants.filter(({ value }) => names.has(value.name));
  for (const { value } of constants) names.delete(value.name);
  const inputs = node.inputs.filter(({ name }) => names.delete(name));
  const outputs = new Map(node.outputs.map((value, i) => [`output${i}`, value]));
  return encodeOnnx({ inputs, constants, nodes: [node] }, outputs);
}
