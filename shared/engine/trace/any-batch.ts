import { EngineError, type Program } from '../engine.js';
import { withoutBatchNormalization } from './affine.js';
import { GPU_FORMS } from './builder.js';
import { nameOf, type Constant, type Node, type PrunedGraph, type Value } from './graph.js';
import { traceProgram, type Trace } from './trace.js';

/**
 * Hardly extents of anything else, and multiples of 16, to which sequences are filled up otherwise. Three, for through two numbers there
 * is always a line.
 */
const BATCHES = [16 * 37, 16 * 41, 16 * 43] as const;

/**
 * Records a forward program in plain ONNX for any size of its batch, which is the first extent of all inputs and outputs. Graphs have
 * fixed shapes, so the program is recorded at some sizes: these graphs may differ in lists of integers alone (shapes, mostly), each
 * number a linear function of the batch. Such lists are left for ONNX to infer, or computed from the shape of the first input. In what is
 * returned, the smallest of the sizes stands for any.
 *
 * Throws EngineError where the graphs differ in anything else.
 */
export function traceForAnyBatch(programOf: (batch: number) => Program): Trace {
  const traces = BATCHES.map((batch) => plainTrace(programOf(batch))) as [Trace, Trace, Trace];
  const [trace] = traces;
  const { inputs, nodes: recorded } = trace.graph;
  const origins = traces.map(({ graph }) => originsOf(graph));
  const first = nameOf.input(programOf(1).inputs[0]!.name);
  const lists = new BatchLists(inputs.find(({ name }) => name === first)!);
  const nodes = recorded.map((node, i): Node => {
    const same = traces.map(({ graph }) => graph.nodes[i]);
    if (new Set(same.map(kindOf)).size > 1) throw fixed(trace, node.op);
    const inputs = node.inputs.map((input, j) => {
      const found = same.map((each, k) => origins[k]!.get(each!.inputs[j]!.name)!);
      if (new Set(found.map(({ identity }) => identity)).size === 1) return input;
      const line = lineOf(found.map(({ ints }) => ints));
      if (!line) throw fixed(trace, node.op);
      return node.op === 'Reshape' ? lists.shape(line) : lists.computed(line);
    });
    return { ...node, inputs };
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  const constants = trace.graph.constants.filter(({ value }) => used.has(value.name));
  const graph = { inputs, constants: [...constants, ...lists.constants], nodes: [...lists.nodes, ...nodes] };
  return { ...trace, graph };
}

/** The forms of GPUs are all in ONNX's own domain. */
function plainTrace(program: Program): Trace {
  const trace = traceProgram(program, GPU_FORMS);
  return { ...trace, graph: withoutBatchNormalization(trace.graph) };
}

function fixed({ graph }: Trace, op: string): EngineError {
  const { length } = graph.nodes;
  return new EngineError(`The graph of ${length} operations depends on the batch's size in a ${op}.`);
}

/** What must agree between graphs, apart from the inputs. */
const kindOf = (node: Node | undefined) =>
  JSON.stringify(node && [node.op, node.attributes, node.inputs.length, node.outputs.length]);

/** Where a value comes from, in words that are the same in all graphs. */
interface Origin {
  readonly identity: string;
  /** Of a constant list of integers. */
  readonly ints?: readonly bigint[];
}

function originsOf({ inputs, constants, nodes }: PrunedGraph): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { name } of inputs) origins.set(name, { identity: name });
  for (const { value, bytes } of constants) {
    const { name, type, shape } = value;
    const identity = `${type} [${shape}] ${Buffer.from(bytes).toString('latin1')}`;
    origins.set(name, {
      identity,
      ...(type === 'int64' && { ints: [...new BigInt64Array(bytes.buffer, bytes.byteOffset, shape[0]!)] }),
    });
  }
  nodes.forEach(({ outputs }, i) =>
    outputs.forEach(({ name }, j) => origins.set(name, { identity: `output ${j} of operation ${i}` })),
  );
  return origins;
}

/** A list of integers: the batch's size times `slope`, plus `offset`. */
interface Line {
  readonly slope: readonly bigint[];
  readonly offset: readonly bigint[];
}

/** The line through lists at the sizes of the batch; undefined where there is none. */
function lineOf(lists: readonly (readonly bigint[] | undefined)[]): Line | undefined {
  const [x0, x1, x2] = BATCHES.map(BigInt) as [bigint, bigint, bigint];
  const [y0, y1, y2] = lists;
  if (!y0 || !y1 || !y2 || y1.length !== y0.length || y2.length !== y0.length) return undefined;
  const slope = y0.map((y, i) => (y1[i]! - y) / (x1 - x0));
  const offset = y0.map((y, i) => y - slope[i]! * x0);
  const holds = (x: bigint, list: readonly bigint[]) =>
    list.every((y, i) => y === slope[i]! * x + offset[i]!);
  return holds(x1, y1) && holds(x2, y2) ? { slope, offset } : undefined;
}

const int64 = (name: string, length: number): Value => ({ name, type: 'int64', shape: [length] });

/** Makes lists of integers that depend on the batch's size, each once. */
class BatchLists {
  readonly constants: Constant[] = [];
  readonly nodes: Node[] = [];
  readonly #first: Value;
  readonly #made = new Map<string, Value>();

  constructor(first: Value) {
    this.#first = first;
  }

  /** For reshaping, which infers one extent. */
  shape(line: Line): Value {
    const { slope, offset } = line;
    if (slope.filter((factor) => factor !== 0n).length > 1) return this.computed(line);
    return this.#constant(offset.map((extent, i) => (slope[i] === 0n ? extent : -1n)));
  }

  computed({ slope, offset }: Line): Value {
    const attributes = { start: 0, end: 1 };
    const size = this.#once('Shape', () => this.#add('Shape', [this.#first], 1, attributes));
    const { length } = slope;
    return this.#once(`${slope}; ${offset}`, () => {
      const product = this.#add('Mul', [size, this.#constant(slope)], length);
      return this.#add('Add', [product, this.#constant(offset)], length);
    });
  }

  #constant(list: readonly bigint[]): Value {
    return this.#once(`${list}`, () => {
      const value = int64(`batch/list${this.constants.length}`, list.length);
      this.constants.push({ value, bytes: new Uint8Array(BigInt64Array.from(list).buffer) });
      return value;
    });
  }

  #add(op: string, inputs: readonly Value[], length: number, attributes: Node['attributes'] = {}): Value {
    const value = int64(`batch/value${this.nodes.length}`, length);
    this.nodes.push({ op, inputs, outputs: [value], attributes });
    return value;
  }

  #once(key: string, make: () => Value): Value {
    const value = this.#made.get(key) ?? make();
    this.#made.set(key, value);
    return value;
  }
}
