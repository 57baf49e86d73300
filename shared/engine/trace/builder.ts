import { Graph, type Attributes, type ElementType, type Value } from './graph.js';
import { Layouts } from './layouts.js';

/** Which forms of an operation to record: some are fast on CPUs only, some exist there only. */
export interface Forms {
  readonly device: 'cpu' | 'gpu';
  /** Channels that ONNX Runtime's blocked convolutions take together on this CPU; 0 where it has none. */
  readonly channelBlock: number;
}

export const GPU_FORMS: Forms = { device: 'gpu', channelBlock: 0 };

export type Elementwise = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Pow';
export type Comparison = 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual' | 'Equal';
export type Reduction = 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceMin';

export interface MatMulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** The first axis goes behind those between it and the last, which are the batch's. On CPUs only. */
  readonly swapBatchA?: boolean;
  readonly swapBatchB?: boolean;
  /** Factor of the product. */
  readonly alpha?: number;
}

export interface ConvOptions {
  readonly bias?: Value;
  /** Top, left, bottom, right. */
  readonly pads?: readonly [number, number, number, number];
  readonly strides?: readonly [number, number];
  /** Distances of neighbouring taps. */
  readonly dilations?: readonly [number, number];
  readonly groups?: number;
}

/** An input of the graph that holds a parameter, or a part of one: those of its numbers from `offset` on that fill the shape. */
export interface ParameterView {
  readonly parameter: number;
  readonly offset: number;
  readonly value: Value;
}

/** Records ONNX operations with their shapes inferred, and leaves out those that change nothing. */
export class Builder {
  readonly graph = new Graph();
  readonly forms: Forms;
  readonly layouts = new Layouts(this);
  /** The bytes that an integer was cast from. */
  readonly #widened = new Map<string, Value>();
  /** What each reshaped value came from. */
  readonly #reshaped = new Map<string, Value>();
  /** What was joined along the first axis. */
  readonly #joined = new Map<string, readonly Value[]>();
  readonly #views: ParameterView[] = [];

  constructor(forms: Forms) {
    this.forms = forms;
  }

  /** What the graph reads of the parameters. */
  get views(): readonly ParameterView[] {
    return this.#views;
  }

  /** The parameter of a number, from one of its numbers on. */
  parameter(parameter: number, name: string, shape: readonly number[], offset = 0): Value {
    const value = this.graph.input(name, 'float32', shape);
    this.#views.push({ parameter, offset, value });
    return value;
  }

  scalar(number: number, type: 'float32' | 'int32' = 'float32'): Value {
    const array = type === 'float32' ? Float32Array.of(number) : Int32Array.of(number);
    return this.graph.constant(array, type, []);
  }

  floats(array: Float32Array, shape: readonly number[]): Value {
    return this.graph.constant(array, 'float32', shape);
  }

  /** The list of integers that ONNX operations take for shapes and axes. */
  ints(list: readonly number[]): Value {
    return this.graph.constant(BigInt64Array.from(list, BigInt), 'int64', [list.length]);
  }

  /** One operation with one output, of the first input's type unless told. */
  op(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Attributes = {},
    type: ElementType = inputs[0]!.type,
  ): Value {
    return this.graph.add(op, inputs, type, [shape], attributes)[0]!;
  }

  unary(op: string, x: Value, attributes: Attributes = {}): Value {
    return this.op(op, [x], x.shape, attributes);
  }

  add = (a: Value, b: Value): Value => this.elementwise('Add', a, b);
  sub = (a: Value, b: Value): Value => this.elementwise('Sub', a, b);
  mul = (a: Value, b: Value): Value => this.elementwise('Mul', a, b);
  div = (a: Value, b: Value): Value => this.elementwise('Div', a, b);

  elementwise(op: Elementwise, a: Value, b: Value): Value {
    if ((op === 'Mul' && a.splat === 1) || (op === 'Add' && a.splat === 0)) return b;
    if (
      ((op === 'Mul' || op === 'Div') && b.splat === 1) ||
      ((op === 'Add' || op === 'Sub') && b.splat === 0)
    )
      return a;
    return this.op(op, [a, b], broadcastShape(a.shape, b.shape));
  }

  compare(op: Comparison, a: Value, b: Value): Value {
    return this.op(op, [a, b], broadcastShape(a.shape, b.shape), {}, 'bool');
  }

  cast(x: Value, type: ElementType): Value {
    if (x.type === type) return x;
    // Nothing is lost from bytes to integers, so a byte need not pass through them.
    const source = this.#widened.get(x.name) ?? x;
    const y = this.op('Cast', [source], x.shape, { to: ONNX_TYPES[type] }, type);
    if (source.type === 'uint8' && type === 'int32') this.#widened.set(y.name, source);
    return y;
  }

  reshape(x: Value, shape: readonly number[]): Value {
    const source = this.beforeReshape(x);
    if (sameShape(source.shape, shape)) return source;
    // GPUs reshape floats only.
    if (this.forms.device === 'gpu' && x.type === 'int32')
      return this.cast(this.reshape(this.cast(x, 'float32'), shape), 'int32');
    const y = this.op('Reshape', [source, this.ints(shape)], shape);
    this.#reshaped.set(y.name, source);
    return y;
  }

  /** A value of the same numbers in the same order, of the shape that they had before they were reshaped. */
  beforeReshape(x: Value): Value {
    return this.#reshaped.get(x.name) ?? x;
  }

  /** Values of the same numbers, one after another, that a value was joined of, each as it was before it was reshaped. */
  partsOf(x: Value): readonly Value[] {
    const source = this.beforeReshape(x);
    return this.#joined.get(source.name)?.flatMap((part) => this.partsOf(part)) ?? [source];
  }

  transpose(x: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => x.shape[axis]!);
    const moved = (order: readonly number[]) => order.filter((axis) => x.shape[axis] !== 1);
    if (moved(perm).every((axis, i, all) => i === 0 || axis > all[i - 1]!)) return this.reshape(x, shape);
    return this.op('Transpose', [x], shape, { perm });
  }

  expand(x: Value, shape: readonly number[]): Value {
    return sameShape(x.shape, shape) ? x : this.op('Expand', [x, this.ints(shape)], shape);
  }

  concat(values: readonly Value[], axis: number): Value {
    const parts = values.filter(({ shape }) => shape[axis] !== 0);
    const shape = values[0]!.shape.slice();
    shape[axis] = parts.reduce((sum, value) => sum + value.shape[axis]!, 0);
    if (parts.length === 1) return parts[0]!;
    const y = this.op('Concat', parts, shape, { axis });
    if (axis === 0) this.#joined.set(y.name, parts);
    return y;
  }

  split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
    const shapes = sizes.map((size) => x.shape.with(axis, size));
    return this.graph.add('Split', [x, this.ints(sizes)], x.type, shapes, { axis });
  }

  slice(
    x: Value,
    begin: readonly number[],
    size: readonly number[],
    steps: readonly number[] = size.map(() => 1),
  ): Value {
    if (sameShape(x.shape, size)) return x;
    const ends = begin.map((from, axis) => from + (size[axis]! - 1) * steps[axis]! + 1);
    const lists = [begin, ends, begin.map((_, axis) => axis), steps];
    return this.op('Slice', [x, ...lists.map((list) => this.ints(list))], size);
  }

  /** Zeros before and after each axis; negative numbers cut. */
  pad(x: Value, before: readonly number[], after: readonly number[]): Value {
    if ([...before, ...after].every((count) => count === 0)) return x;
    const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
    return this.op('Pad', [x, this.ints([...before, ...after])], shape);
  }

  gather(table: Value, indices: Value): Value {
    return this.op('Gather', [table, indices], [...indices.shape, ...table.shape.slice(1)], { axis: 0 });
  }

  reduce(op: Reduction, x: Value, axes: readonly number[], keep = false): Value {
    const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const shape = keep ? kept : kept.filter((_, axis) => !axes.includes(axis));
    if (axes.every((axis) => x.shape[axis] === 1)) return this.reshape(x, shape);
    return this.op(op, [x, this.ints(axes)], shape, { keepdims: keep ? 1 : 0 });
  }

  sum(x: Value, axes: readonly number[], keep = false): Value {
    if (this.forms.device === 'gpu' || !sameShape(axes, [0]) || x.shape[0] === 1 || keep)
      return this.reduce('ReduceSum', x, axes, keep);
    // Along the first axis, a product with ones takes a tenth of the time of a sum.
    const [rows, ...rest] = x.shape as [number, ...number[]];
    const ones = this.floats(new Float32Array(rows).fill(1), [1, rows]);
    const size = rest.reduce((product, extent) => product * extent, 1);
    return this.reshape(this.matMul(ones, this.reshape(x, [rows, size])), rest);
  }

  /** Matrices in the last two axes, the axes before them broadcast. */
  matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    const { transposeA, transposeB, swapBatchA, swapBatchB, alpha = 1 } = options;
    const [left, right] = [
      swapBatchA ? swapFirst(a.shape) : a.shape,
      swapBatchB ? swapFirst(b.shape) : b.shape,
    ];
    const [rows] = lastTwo(left, transposeA);
    const [, columns] = lastTwo(right, transposeB);
    const outer = broadcastShape(left.slice(0, -2), right.slice(0, -2));
    const shape = [...outer, rows, columns];
    if (!transposeA && !transposeB && !swapBatchA && !swapBatchB && alpha === 1)
      return this.op('MatMul', [a, b], shape);
    if (this.forms.device === 'gpu') {
      const swap = (x: Value, wanted?: boolean) => (wanted ? this.transpose(x, swapLast(x.shape.length)) : x);
      return this.mul(
        this.op('MatMul', [swap(a, transposeA), swap(b, transposeB)], shape),
        this.scalar(alpha),
      );
    }
    return this.op('com.microsoft:FusedMatMul', [a, b], shape, {
      transA: transposeA ? 1 : 0,
      transB: transposeB ? 1 : 0,
      ...(swapBatchA ? { transBatchA: 1 } : {}),
      ...(swapBatchB ? { transBatchB: 1 } : {}),
      alpha: { float: alpha },
    });
  }

  /** x [B,C,H,W], kernel [O,C/groups,kh,kw] */
  conv(x: Value, kernel: Value, options: ConvOptions = {}): Value {
    const { bias, pads = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1], groups = 1 } = options;
    const attributes = { pads, strides, dilations, group: groups };
    const inputs = bias ? [x, kernel, bias] : [x, kernel];
    return this.op('Conv', inputs, this.convShape(x, kernel, options), attributes);
  }

  /** The shape of a convolution's outputs. */
  convShape(x: Value, kernel: Value, options: ConvOptions): number[] {
    const { pads = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] } = options;
    const [batch, , height, width] = x.shape as [number, number, number, number];
    const [outputs, , tall, wide] = kernel.shape as [number, number, number, number];
    const [rows, columns] = [dilations[0] * (tall - 1), dilations[1] * (wide - 1)];
    return [
      batch,
      outputs,
      Math.floor((height + pads[0] + pads[2] - rows - 1) / strides[0]) + 1,
      Math.floor((width + pads[1] + pads[3] - columns - 1) / strides[1]) + 1,
    ];
  }

  /** x [B,C,H,W], kernel [C,O,kh,kw] */
  convTranspose(x: Value, kernel: Value, { pads = [0, 0, 0, 0], strides = [1, 1] }: ConvOptions = {}): Value {
    const [batch, , height, width] = x.shape as [number, number, number, number];
    const [, outputs, tall, wide] = kernel.shape as [number, number, number, number];
    const rows = (height - 1) * strides[0] + tall - pads[0] - pads[2];
    const columns = (width - 1) * strides[1] + wide - pads[1] - pads[3];
    return this.op('ConvTranspose', [x, kernel], [batch, outputs, rows, columns], { pads, strides });
  }

  /** Zeros or another number, not stored but made when the graph runs. */
  filled(shape: readonly number[], number = 0): Value {
    return this.expand(this.scalar(number), shape);
  }
}

/** Numbers of ONNX's TensorProto.DataType. */
export const ONNX_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
};

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [left, right] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (left !== right && left !== 1 && right !== 1)
      throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return left === 1 ? right : left;
  });
}

function swapLast(rank: number): number[] {
  return [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2];
}

/** [a,...batch,b] -> [...batch,a,b] */
function swapFirst([first, ...rest]: readonly number[]): number[] {
  return rest.toSpliced(-1, 0, first!);
}

function lastTwo(shape: readonly number[], swap?: boolean): [number, number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return swap ? [columns, rows] : [rows, columns];
}
