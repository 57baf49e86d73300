import { sizeOf } from '../program.js';
import { Builder, sameShape, type Elementwise, type ParameterView, type Reduction } from './builder.js';
import { nameOf, type Attributes, type Value } from './graph.js';
import { canBlock } from './ops/blocked.js';
import { channelAffine, channelMeans, channelSums } from './ops/channels.js';

/**
 * Leaves maps in blocked layout from one operation to the next: what is done to each element, and what joins or
 * parts whole blocks of channels, is done there wherever all maps are known in that layout.
 */
export class BlockedBuilder extends Builder {
  /** Parameters and parts of them. */
  readonly #views = new Map<string, ParameterView>();

  override parameter(parameter: number, name: string, shape: readonly number[], offset = 0): Value {
    const value = super.parameter(parameter, name, shape, offset);
    this.#views.set(name, { parameter, offset, value });
    return value;
  }

  /** A parameter of another shape is the same memory read once more. */
  override reshape(x: Value, shape: readonly number[]): Value {
    const view = this.#views.get(x.name);
    return view ? this.#part(view, shape) : super.reshape(x, shape);
  }

  override unary(op: string, x: Value, attributes: Attributes = {}): Value {
    const blocked = this.layouts.knownBlocked(x);
    return blocked
      ? this.layouts.fromBlocked(super.unary(op, blocked, attributes))
      : super.unary(op, x, attributes);
  }

  override elementwise(op: Elementwise, a: Value, b: Value): Value {
    const [left, right] = [this.#operand(a, b), this.#operand(b, a)];
    if (left && right) return this.layouts.fromBlocked(super.elementwise(op, left, right));
    if (op === 'Add' && this.layouts.knownBlocked(a) && isOfChannels(b, a)) return this.#addToChannels(a, b);
    return super.elementwise(op, a, b);
  }

  override concat(values: readonly Value[], axis: number): Value {
    const blocked = values.map((value) => this.layouts.knownBlocked(value));
    return axis === 1 && blocked.every((value) => value !== undefined)
      ? this.layouts.fromBlocked(super.concat(blocked, axis))
      : super.concat(values, axis);
  }

  override split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
    const view = this.#views.get(x.name);
    if (axis === 0 && view) return this.#parts(view, sizes);
    const blocked = this.layouts.knownBlocked(x);
    return axis === 1 && blocked && canBlock(this, ...sizes)
      ? super.split(blocked, sizes, axis).map((part) => this.layouts.fromBlocked(part))
      : super.split(x, sizes, axis);
  }

  override reduce(op: Reduction, x: Value, axes: readonly number[], keep = false): Value {
    const reducers = {
      ReduceSum: channelSums,
      ReduceMean: channelMeans,
      ReduceMax: undefined,
      ReduceMin: undefined,
    };
    const reducer = reducers[op];
    // A sequence's one row need not be named.
    const overLocations = axes.includes(3) && (axes.includes(2) || x.shape[2] === 1);
    if (!reducer || !this.layouts.knownBlocked(x) || !overLocations || axes.includes(1))
      return super.reduce(op, x, axes, keep);
    const rows = this.reshape(reducer(this, x), x.shape.slice(0, 2));
    const reduced = axes.includes(0) ? super.reduce(op, rows, [0]) : rows;
    const left = (extent: number, axis: number) => (!axes.includes(axis) ? [extent] : keep ? [1] : []);
    return this.reshape(reduced, x.shape.flatMap(left));
  }

  #parts(view: ParameterView, sizes: readonly number[]): readonly Value[] {
    const { shape } = view.value;
    const row = sizeOf(shape.slice(1));
    let begin = 0;
    return sizes.map((size) => {
      const part = this.#part(view, shape.with(0, size), begin * row);
      begin += size;
      return part;
    });
  }

  /** Of a view, from one of its numbers on. */
  #part({ parameter, offset, value }: ParameterView, shape: readonly number[], begin = 0): Value {
    if (sameShape(value.shape, shape)) return value;
    const name = `${nameOf.parameter(parameter)}/${offset + begin}/${shape.join('x')}`;
    return this.#views.get(name)?.value ?? this.parameter(parameter, name, shape, offset + begin);
  }

  /** A number for all, or maps in blocked layout beside others that are known in it. */
  #operand(x: Value, other: Value): Value | undefined {
    const isMaps = sameShape(x.shape, other.shape);
    const blocked = this.layouts.knownBlocked(x);
    if (blocked) return isMaps || other.shape.length !== x.shape.length ? blocked : undefined;
    if (!this.layouts.knownBlocked(other)) return undefined;
    return isMaps ? this.layouts.toBlocked(x) : x.shape.length === 0 ? x : undefined;
  }

  #addToChannels(x: Value, offset: Value): Value {
    const [batch, channels] = x.shape as [number, number];
    const rows = batch * channels;
    const offsets = this.reshape(this.expand(offset, [batch, channels, 1, 1]), [rows]);
    const ones = this.floats(new Float32Array(rows).fill(1), [rows]);
    return channelAffine(this, x, ones, offsets);
  }
}

/** Whether a value is one number for each channel of the maps. */
function isOfChannels(value: Value, maps: Value): boolean {
  const [batch, channels, height, width] = value.shape;
  return (
    value.shape.length === 4 &&
    (batch === 1 || batch === maps.shape[0]) &&
    channels === maps.shape[1] &&
    height === 1 &&
    width === 1
  );
}
