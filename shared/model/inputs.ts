import type { InputArray, Program } from '../engine/engine.js';
import { sizeOf } from '../engine/program.js';
import { UserError } from '../errors.js';
import { absorbUnknown, rankMask } from '../method/masks.js';
import { embedTimeStep } from '../method/time-embedding.js';
import type { ModelDescription } from './description.js';

/**
 * The input arrays of one of a model's programs, made once and filled row by row. Examples and orders are flat in
 * the order height, width, channel; the arrays are channels first.
 */
export class ModelInputs {
  /** By the name of the program's input. */
  readonly arrays: Readonly<Record<string, InputArray>>;
  readonly #description: ModelDescription;
  readonly #timeChannels: number;
  /** For each variable, its place in the network's maps. */
  readonly #places: Int32Array;
  readonly #mask: Uint8Array;
  readonly #classes: Int32Array;

  constructor(description: ModelDescription, program: Program) {
    const { shape, numVariables } = description;
    const [height, width, channels] = shape;
    const locations = height * width;
    this.arrays = Object.fromEntries(program.inputs.map((spec) => [spec.name, allocate(spec)]));
    this.#description = description;
    this.#timeChannels = program.inputs.find(({ name }) => name === 'time')!.shape[1]!;
    this.#places = Int32Array.from(
      { length: numVariables },
      (_, v) => (v % channels) * locations + Math.floor(v / channels),
    );
    this.#mask = new Uint8Array(numVariables);
    this.#classes = new Int32Array(numVariables);
  }

  /** What the network reads of an example at a time step: the variables of a lower rank are known. */
  setKnown(row: number, example: Uint8Array, order: Int32Array, timeStep: number): void {
    const { numVariables, absorbing } = this.#description;
    rankMask(order, 0, timeStep, this.#mask);
    absorbUnknown(example, this.#mask, absorbing, this.#classes);
    this.#place('mask', row, this.#mask);
    this.#place('classes', row, this.#classes);
    const time = this.arrays.time as Float32Array;
    const width = this.#timeChannels;
    embedTimeStep(timeStep, numVariables, time.subarray(row * width, (row + 1) * width));
  }

  /** What is scored of an example: the variables of rank begin <= rank < end. */
  setScored(row: number, example: Uint8Array, order: Int32Array, begin: number, end: number): void {
    rankMask(order, begin, end, this.#mask);
    this.#place('scored', row, this.#mask);
    this.#place('target', row, example);
  }

  #place(name: string, row: number, values: Uint8Array | Int32Array): void {
    const array = this.arrays[name]!;
    const base = row * values.length;
    for (let v = 0; v < values.length; v++) array[base + this.#places[v]!] = values[v]!;
  }
}

function allocate({ dtype, shape }: Program['inputs'][number]): InputArray {
  const size = sizeOf(shape);
  switch (dtype) {
    case 'float32':
      return new Float32Array(size);
    case 'int32':
      return new Int32Array(size);
    case 'uint8':
      return new Uint8Array(size);
  }
}

/** Throws UserError unless the bytes are `count` examples of the model's classes. */
export function checkExamples(
  examples: Uint8Array,
  count: number,
  { numVariables, numClasses }: ModelDescription,
): void {
  if (examples.length !== count * numVariables)
    throw new UserError(
      `${count} examples of ${numVariables} variables are ${count * numVariables} bytes, but there are ${examples.length}: the data are of another shape than the model.`,
    );
  const wrong = numClasses === 256 ? -1 : examples.findIndex((value) => value >= numClasses);
  if (wrong >= 0)
    throw new UserError(
      `Example ${Math.floor(wrong / numVariables)} has class ${examples[wrong]} at variable ${wrong % numVariables}, but the model has classes 0 to ${numClasses - 1}: it was made for other data.`,
    );
}
