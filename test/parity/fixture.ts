import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { headerLength, LENGTH_BYTES, parseHeader } from '../../shared/checkpoint/safetensors.js';
import { packageRoot } from '../../shared/package.js';
import type { ParityCase, SideCar, TensorNote } from './cases.js';
import { assertNear, assertSame, assertWithin, norm, sum, sumTolerance, type Numbers } from './comparison.js';

/** The project's own fixtures. */
export const FIXTURES = path.join(packageRoot, 'test', 'fixtures');

type Tensors = ReadonlyMap<string, Float32Array | Int32Array>;

/**
 * Numbers that the original implementation gave. Tensors too large to keep are recorded in parts: `@sample` (every so
 * many elements), `@rows` and `@row_values` (of an embedding's gradient), `@norm`, `@sum`. `out64/x` is `out/x` of a
 * float64 run; where both are there, both must be near.
 */
export class Fixture {
  readonly name: string;
  readonly sideCar: SideCar;
  readonly #tensors: Tensors;
  readonly #parameters: Tensors;
  readonly #compared = new Set<string>();

  constructor({ name, folder, sideCar }: ParityCase) {
    this.name = name;
    this.sideCar = sideCar;
    this.#tensors = readAll(folder, sideCar.files);
    this.#parameters = readAll(folder, sideCar.params_files ?? []);
  }

  floats(name: string): Float32Array {
    const tensor = this.#get(name);
    assert.ok(tensor instanceof Float32Array, `${this.name}: ${name} is not float32`);
    return tensor;
  }

  ints(name: string): Int32Array {
    const tensor = this.#get(name);
    assert.ok(tensor instanceof Int32Array, `${this.name}: ${name} is not int32`);
    return tensor;
  }

  /** Of a tensor that may be recorded in parts. */
  shape(name: string): readonly number[] {
    const shape = this.sideCar.tensors[name]?.shape ?? this.#compaction(name)?.of;
    assert.ok(shape, `${this.name}: the side-car has no shape of ${name}`);
    return shape;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Names of recorded tensors, in the order of the file. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Names of tensors that are recorded, whole or in parts, with a prefix. */
  bases(prefix: string): string[] {
    const names = this.names().map((name) => name.replace(/@.*$/, ''));
    return [...new Set(names)].filter((name) => name.startsWith(prefix));
  }

  /** Parameters by the original's paths. */
  get parameters(): Tensors {
    return this.#parameters;
  }

  /** Compares a whole tensor with what is recorded of it, by the general rule. */
  compare(name: string, actual: Numbers): void {
    this.#eachPart(name, actual, (part, values, recorded) => {
      const note = this.#noteOf(part.replace(/^out64\//, 'out/'));
      const what = `${this.name} ${part}`;
      if (part.endsWith('@sum')) assertWithin(what, values, recorded, sumTolerance(actual), note);
      else assertNear(what, values, recorded, note);
    });
  }

  /** Compares a whole tensor with what is recorded of it, to an absolute tolerance of each element. */
  compareWithin(name: string, actual: Numbers, tolerance: number): void {
    // The norm of the difference, and so the difference of the norms.
    const whole = tolerance * Math.sqrt(actual.length);
    this.#eachPart(name, actual, (part, values, recorded) => {
      const note = this.sideCar.tensors[part];
      const what = `${this.name} ${part}`;
      if (part.endsWith('@sum')) assertWithin(what, values, recorded, whole + sumTolerance(actual), note);
      else assertWithin(what, values, recorded, part.endsWith('@norm') ? whole : tolerance, note);
    });
  }

  /** Compares a whole tensor of integers with what is recorded of it: all the same. */
  compareExactly(name: string, actual: ArrayLike<number>): void {
    const values = Int32Array.from(actual);
    this.#eachPart(name, values, (part, made, recorded) => {
      const what = `${this.name} ${part}`;
      if (recorded instanceof Int32Array) assertSame(what, made, recorded);
      else if (part.endsWith('@sum')) assertWithin(what, made, recorded, sumTolerance(values));
      else assertNear(what, made, recorded);
    });
  }

  /** What is recorded of outputs and gradients and was not compared so far. */
  rest(): string[] {
    return this.names().filter((name) => !name.startsWith('in/') && !this.#compared.has(name));
  }

  /** The recorded parts of a tensor, beside the same of `actual`. */
  #eachPart(
    name: string,
    actual: Numbers,
    check: (part: string, values: Numbers, recorded: Numbers) => void,
  ): void {
    const bases = new Set([name, name.replace(/^out\//, 'out64/')]);
    const parts = [...bases].flatMap((base) => this.#parts(base, actual));
    assert.ok(parts.length > 0, `${this.name} holds no ${name}`);
    for (const [part, values] of parts) {
      check(part, values, this.#get(part));
      this.#compared.add(part);
    }
  }

  /** Where a norm's own noise was not measured, it is at most that of the elements. */
  #noteOf(part: string): TensorNote | undefined {
    const { tensors } = this.sideCar;
    const own = tensors[part];
    if (own?.float32_vs_float64 || !part.endsWith('@norm')) return own;
    const base = part.slice(0, -'@norm'.length);
    return tensors[`${base}@row_values`] ?? tensors[`${base}@sample`] ?? own;
  }

  /** Names and values of the parts in which a tensor is recorded. */
  #parts(base: string, actual: Numbers): [string, Numbers][] {
    const parts: [string, () => Numbers][] = [
      [base, () => actual],
      [`${base}@norm`, () => Float64Array.of(norm(actual))],
      [`${base}@sum`, () => Float64Array.of(sum(actual))],
      [`${base}@sample`, () => this.#sample(base, actual)],
      [`${base}@row_values`, () => this.#rowValues(base, actual)],
    ];
    return parts.filter(([part]) => this.has(part)).map(([part, values]) => [part, values()]);
  }

  #sample(base: string, actual: Numbers): Numbers {
    const { stride, count } = this.#compaction(base) ?? {};
    assert.ok(stride && count, `${this.name}: the side-car does not say how ${base} was sampled`);
    return Float64Array.from({ length: count }, (_, i) => actual[i * stride]!);
  }

  /** Fewer than 256 rows are all those with a gradient: which they are is compared here. */
  #rowValues(base: string, actual: Numbers): Numbers {
    const rows = this.ints(`${base}@rows`);
    const values = this.floats(`${base}@row_values`);
    const width = values.length / rows.length;
    const touched = Array.from({ length: actual.length / width }, (_, row) => row).filter((row) =>
      actual.subarray(row * width, (row + 1) * width).some((value) => value !== 0),
    );
    if (rows.length < 256) this.compareExactly(`${base}@rows`, touched);
    else this.#compared.add(`${base}@rows`);
    return values.map((_, i) => actual[rows[Math.floor(i / width)]! * width + (i % width)]!);
  }

  /** Side-cars leave out the folder of an output's name. */
  #compaction(base: string) {
    const { compacted = {} } = this.sideCar;
    return compacted[base] ?? compacted[base.replace(/^out\//, '')];
  }

  #get(name: string): Float32Array | Int32Array {
    const tensor = this.#tensors.get(name);
    assert.ok(tensor, `${this.name} holds no ${name}`);
    return tensor;
  }
}

function readAll(folder: string, files: readonly string[]): Tensors {
  return new Map(files.flatMap((file) => [...readSafetensors(path.join(folder, file))]));
}

function* readSafetensors(file: string): Iterable<[string, Float32Array | Int32Array]> {
  const bytes = readFileSync(file);
  const begin = LENGTH_BYTES + headerLength(bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const { tensors } = parseHeader(bytes.subarray(LENGTH_BYTES, begin), bytes.length - begin);
  for (const { name, dtype, begin: from, end } of tensors) {
    const { buffer } = Uint8Array.from(bytes.subarray(begin + from, begin + end));
    assert.ok(dtype === 'F32' || dtype === 'I32', `${file}: ${name} is ${dtype}`);
    yield [name, dtype === 'F32' ? new Float32Array(buffer) : new Int32Array(buffer)];
  }
}
