import { createRequire } from 'node:module';
import type { onnx as Onnx } from 'onnx-proto';
import { ONNX_TYPES } from './builder.js';
import type { Attribute, Constant, Node, PrunedGraph, Value } from './graph.js';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Onnx };

const OPSET = 18;
const IR_VERSION = 9;

/** The bytes of an ONNX model whose outputs have the given names, in that order. */
export function encodeOnnx(graph: PrunedGraph, outputs: ReadonlyMap<string, Value>): Uint8Array {
  // An output that a node computes takes the wanted name; inputs, constants and second names are copied.
  const renamed = new Map<string, string>();
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs.map(({ name }) => name)));
  const copies: Node[] = [];
  for (const [name, value] of outputs) {
    if (computed.has(value.name) && !renamed.has(value.name)) renamed.set(value.name, name);
    else copies.push({ op: 'Identity', inputs: [value], outputs: [{ ...value, name }], attributes: {} });
  }
  const rename = (value: Value) => ({ ...value, name: renamed.get(value.name) ?? value.name });
  const nodes = [...graph.nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  return onnx.ModelProto.encode({
    irVersion: IR_VERSION,
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: 1 },
      { domain: 'com.microsoft.nchwc', version: 1 },
    ],
    graph: {
      name: 'program',
      node: leavesLast(nodes).map(encodeNode),
      initializer: graph.constants.map(encodeConstant),
      input: graph.inputs.map(encodeValue),
      output: [...outputs].map(([name, value]) => encodeValue({ ...value, name })),
    },
  }).finish();
}

/**
 * The nodes that no other one reads after all others, those recorded first at the end. Of these ONNX Runtime computes the last one first, with
 * all that it needs: so each gradient of a parameter is computed as soon as it can be, and what it needs is freed.
 */
function leavesLast(nodes: readonly Node[]): Node[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  const isRead = ({ outputs }: Node) => outputs.some(({ name }) => read.has(name));
  return [...nodes.filter(isRead), ...nodes.filter((node) => !isRead(node)).reverse()];
}

function encodeNode({ op, inputs, outputs, attributes }: Node, index: number): Onnx.INodeProto {
  const [domain, opType] = op.includes(':') ? op.split(':') : ['', op];
  return {
    name: `${opType}${index}`,
    opType: opType!,
    domain: domain!,
    input: inputs.map(({ name }) => name),
    output: outputs.map(({ name }) => name),
    attribute: Object.entries(attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
  };
}

function encodeAttribute(name: string, attribute: Attribute): Onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof attribute === 'number') return { name, type: AttributeType.INT, i: attribute };
  if (typeof attribute === 'string') return { name, type: AttributeType.STRING, s: Buffer.from(attribute) };
  if ('float' in attribute) return { name, type: AttributeType.FLOAT, f: attribute.float };
  return { name, type: AttributeType.INTS, ints: [...attribute] };
}

function encodeConstant({ value: { name, type, shape }, bytes }: Constant): Onnx.ITensorProto {
  return { name, dims: [...shape], dataType: ONNX_TYPES[type], rawData: bytes };
}

function encodeValue({ name, type, shape }: Value): Onnx.IValueInfoProto {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: ONNX_TYPES[type], shape: { dim } } } };
}
