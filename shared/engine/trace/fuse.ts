import { sameShape } from './builder.js';
import type { Node, PrunedGraph, Value } from './graph.js';
import { BLOCKED_DOMAIN } from './layouts.js';

const CONV = `${BLOCKED_DOMAIN}:Conv`;
/** What a blocked convolution can do to its results as it makes them. */
const ACTIVATIONS: ReadonlySet<string> = new Set(['Relu', 'Sigmoid', 'Tanh']);
/** An optional input that is left out. */
const NONE: Value = { name: '', type: 'float32', shape: [] };

/**
 * The same graph with fewer passes over blocked maps: a convolution whose result is only added to other maps, or only goes
 * through an activation, does that itself. `outputs` are the graph's own, which stay.
 */
export function fuseConvolutions(graph: PrunedGraph, outputs: readonly Value[]): PrunedGraph {
  const numUses = countUses(graph.nodes, outputs);
  /** By the name of the first output. */
  const nodes = new Map<string, Node>();
  const onlyUse = (value: Value) => (numUses.get(value.name) === 1 ? nodes.get(value.name) : undefined);
  for (const node of graph.nodes) {
    const fused = withSum(node, onlyUse) ?? withActivation(node, onlyUse);
    if (fused) nodes.delete(fused.replaced);
    nodes.set(node.outputs[0]!.name, fused?.node ?? node);
  }
  return { ...graph, nodes: [...nodes.values()] };
}

interface Fused {
  readonly node: Node;
  /** The convolution's former output. */
  readonly replaced: string;
}

/** Of two convolutions the later one, so that what it needs is not kept for longer. */
function withSum(
  { op, inputs, outputs }: Node,
  onlyUse: (value: Value) => Node | undefined,
): Fused | undefined {
  if (op !== 'Add' || !sameShape(inputs[0]!.shape, inputs[1]!.shape)) return undefined;
  for (const [value, other] of [inputs.toReversed(), inputs] as [Value, Value][]) {
    const conv = onlyUse(value);
    if (conv?.op !== CONV || conv.inputs.length > 3 || conv.attributes['activation']) continue;
    const [x, filter, bias = NONE] = conv.inputs as [Value, Value, Value?];
    return { node: { ...conv, inputs: [x, filter, bias, other], outputs }, replaced: value.name };
  }
  return undefined;
}

function withActivation(
  { op, inputs, outputs }: Node,
  onlyUse: (value: Value) => Node | undefined,
): Fused | undefined {
  if (!ACTIVATIONS.has(op)) return undefined;
  const [value] = inputs as [Value];
  const conv = onlyUse(value);
  if (conv?.op !== CONV || conv.attributes['activation']) return undefined;
  const attributes = { ...conv.attributes, activation: op };
  return { node: { ...conv, attributes, outputs }, replaced: value.name };
}

function countUses(nodes: readonly Node[], outputs: readonly Value[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
