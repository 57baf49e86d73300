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
  /** By the name of the first output, in order. */
  const nodes = new Map<string, Node>();
  /** Where each value is computed; inputs and constants are there before. */
  const places = new Map(
    graph.nodes.flatMap(({ outputs }, place) => outputs.map(({ name }) => [name, place] as const)),
  );
  const placeOf = ({ name }: Value) => places.get(name) ?? -1;
  const onlyUse = (value: Value) => (numUses.get(value.name) === 1 ? nodes.get(value.name) : undefined);
  for (const node of graph.nodes) {
    const fused =
      withSum(node, onlyUse) ?? withFirstSum(node, onlyUse, placeOf) ?? withActivation(node, onlyUse);
    if (fused) nodes.delete(fused.replaced);
    if (fused?.first) nodes.set(fused.first.outputs[0]!.name, fused.first);
    nodes.set(node.outputs[0]!.name, fused?.node ?? node);
  }
  return { ...graph, nodes: [...nodes.values()] };
}

interface Fused {
  readonly node: Node;
  /** The convolution's former output. */
  readonly replaced: string;
  /** Another convolution that has changed. */
  readonly first?: Node;
}

/** Of two convolutions the later one, so that what it needs is not kept for longer. */
function withSum(
  { op, inputs, outputs }: Node,
  onlyUse: (value: Value) => Node | undefined,
): Fused | undefined {
  if (op !== 'Add' || !sameShape(inputs[0]!.shape, inputs[1]!.shape)) return undefined;
  for (const [value, other] of [inputs.toReversed(), inputs] as [Value, Value][]) {
    const conv = onlyUse(value);
    if (!conv || !canAdd(conv)) continue;
    return { node: { ...adding(conv, other), outputs }, replaced: value.name };
  }
  return undefined;
}

/** Maps added to a sum of convolutions, each of which adds to the one before it: the first one adds to the maps, if they are there by then. */
function withFirstSum(
  { op, inputs, outputs }: Node,
  onlyUse: (value: Value) => Node | undefined,
  placeOf: (value: Value) => number,
): Fused | undefined {
  if (op !== 'Add' || !sameShape(inputs[0]!.shape, inputs[1]!.shape)) return undefined;
  for (const [value, other] of [inputs.toReversed(), inputs] as [Value, Value][]) {
    const last = onlyUse(value);
    let first = last;
    while (first?.op === CONV && first.inputs.length > 3) first = onlyUse(first.inputs[3]!);
    if (!last || !first || !canAdd(first) || placeOf(other) > placeOf(first.outputs[0]!)) continue;
    return { node: { ...last, outputs }, replaced: value.name, first: adding(first, other) };
  }
  return undefined;
}

function canAdd({ op, inputs, attributes }: Node): boolean {
  return op === CONV && inputs.length <= 3 && !attributes['activation'];
}

function adding(conv: Node, other: Value): Node {
  const [x, filter, bias = NONE] = conv.inputs as [Value, Value, Value?];
  return { ...conv, inputs: [x, filter, bias, other] };
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
