/** Element types of ONNX tensors that graphs here use. */
export type ElementType = 'float32' | 'uint8' | 'int32' | 'int64' | 'bool';

/** A tensor in a graph, its shape known. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The number, where this is a scalar constant. */
  readonly splat?: number;
}

/** ints and numbers are integers; a float is marked. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  /** `MatMul`, or `com.microsoft:FusedMatMul` outside ONNX's own domain. */
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

export interface Constant {
  readonly value: Value;
  readonly bytes: Uint8Array;
}

/** What a graph holds once everything that its outputs don't need is gone. */
export interface PrunedGraph {
  readonly inputs: readonly Value[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
}

export type ConstantArray = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** Names in the graph. */
export const nameOf = {
  parameter: (i: number): string => `parameter${i}`,
  input: (name: string): string => `input/${name}`,
  output: (name: string): string => `output/${name}`,
  gradient: (i: number): string => `gradient${i}`,
};

/**
 * A computation being recorded. The same operation on the same values is recorded once, so a gradient may ask for
 * its forward's intermediate values by building them again.
 */
export class Graph {
  readonly #inputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #recorded = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, Constant>();
  #numValues = 0;

  input(name: string, type: ElementType, shape: readonly number[]): Value {
    const value = { name, type, shape };
    this.#inputs.push(value);
    return value;
  }

  constant(array: ConstantArray, type: ElementType, shape: readonly number[]): Value {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
    const key = `${type} ${shape} ${Buffer.from(bytes.buffer).toString('latin1')}`;
    const found = this.#constants.get(key);
    if (found) return found.value;
    const splat = shape.length === 0 ? { splat: Number(array[0]) } : {};
    const value = { name: `constant${this.#constants.size}`, type, shape, ...splat };
    this.#constants.set(key, { value, bytes });
    return value;
  }

  /** Records an operation and gives its outputs, one for each shape. */
  add(
    op: string,
    inputs: readonly Value[],
    type: ElementType,
    shapes: readonly (readonly number[])[],
    attributes: Attributes = {},
  ): readonly Value[] {
    const key = `${op}(${inputs.map(({ name }) => name)})${JSON.stringify(attributes)}`;
    const found = this.#recorded.get(key);
    if (found) return found;
    const outputs = shapes.map((shape) => ({ name: `value${this.#numValues++}`, type, shape }));
    this.#nodes.push({ op, inputs, outputs, attributes });
    this.#recorded.set(key, outputs);
    return outputs;
  }

  /** Only what the wanted values need, in the order of recording; inputs are all kept. */
  prune(wanted: readonly Value[]): PrunedGraph {
    const needed = new Set(wanted.map(({ name }) => name));
    const nodes: Node[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some(({ name }) => needed.has(name))) continue;
      nodes.push(node);
      for (const { name } of node.inputs) needed.add(name);
    }
    return {
      inputs: this.#inputs,
      constants: [...this.#constants.values()].filter(({ value }) => needed.has(value.name)),
      nodes: nodes.reverse(),
    };
  }
}
