import type { ModelConfig } from '../config/schema.js';
import type { InputArray, Program } from '../engine/engine.js';
import { sizeOf } from '../engine/program.js';
import { UserError } from '../errors.js';
import { stageAndTime } from '../method/bound.js';
import type { Classes } from '../method/classes.js';
import { rankMask } from '../method/masks.js';
import { embedTimeStep } from '../method/time-embedding.js';
import { createOutput } from '../outputs/create.js';
import type { Output } from '../outputs/output.js';
import { stageMapOf, type ModelDescription } from './description.js';

/**
 * The input arrays of one of a model's programs, made once and filled row by row. Examples are flat in the order height,
 * width, channel, their context first; orders are the ranks of the positions after it; the arrays are channels first.
 */
export class ModelInputs {
  /** By the name of the program's input. */
  readonly arrays: Readonly<Record<string, InputArray>>;
  readonly output: Output;
  readonly #description: ModelDescription;
  /** The class that each class is coarsened to, by the number of destruction steps. */
  readonly #levels: readonly Int32Array[];
  /** What each class is in the output's inputs, by name and stage. */
  readonly #targets: ReadonlyMap<string, readonly Int32Array[]>;
  /** For each variable, its place in the network's maps. */
  readonly #places: Int32Array;
  readonly #known: Uint8Array;
  /** The network itself takes care that an output depends on what comes before it only. */
  readonly #seesAll: boolean;
  readonly #isPermuted: boolean;

  constructor(description: ModelDescription, config: ModelConfig, program: Program) {
    const { shape, numClasses, numStages, numPositions, networkShape } = description;
    const [height, width, channels] = shape;
    const locations = height * width;
    const map = stageMapOf(config, numClasses);
    const table = (valueOf: (x: number) => number) =>
      Int32Array.from({ length: numClasses }, (_, x) => valueOf(x));
    const stages = Array.from({ length: numStages }, (_, stage) => stage);
    this.arrays = Object.fromEntries(program.inputs.map((spec) => [spec.name, allocate(spec)]));
    this.output = createOutput(config, channels, numClasses);
    this.#description = description;
    this.#levels = [...stages, numStages].map((r) => table((x) => map.coarsen(x, r)));
    this.#targets = new Map(
      this.output.variableInputs
        .filter(({ name }) => name in this.arrays)
        .map(({ name, valueOf }) => [name, stages.map((stage) => table((x) => valueOf(x, stage)))]),
    );
    this.#places = Int32Array.from(
      { length: locations * channels },
      (_, v) => (v % channels) * locations + Math.floor(v / channels),
    );
    this.#known = new Uint8Array(numPositions);
    this.#seesAll = networkShape.factorization !== 'any-order';
    this.#isPermuted = networkShape.factorization === 'permuted';
  }

  /** What the network reads of an example at a step: its context, and in the step's stage the positions of a lower rank. */
  setExample(row: number, example: Classes, order: Int32Array, step: number): void {
    const { numStages, numContext } = this.#description;
    const { stage } = this.#setStep(row, order, step);
    const future = this.#levels[numStages - 1 - stage]!;
    const past = this.#levels[numStages - stage]!;
    const { classes } = this.arrays;
    this.#eachVariable(row, order, (v, place, position) => {
      const isKnown = this.#seesAll || this.#known[position] === 1;
      // A context is no part of the stages: all of it is told from the beginning.
      classes![place] = v < numContext ? example[v]! : (isKnown ? future : past)[example[v]!]!;
    });
  }

  /** What the network reads of an example that is being generated: its classes as they are, absorbing where nothing is known. */
  setState(row: number, state: Int32Array, order: Int32Array, step: number): void {
    this.#setStep(row, order, step);
    const { classes } = this.arrays;
    this.#eachVariable(row, order, (v, place) => (classes![place] = state[v]!));
  }

  /** What is scored of an example at a step: the positions of rank begin <= rank < end. */
  setScored(
    row: number,
    example: Classes,
    order: Int32Array,
    step: number,
    begin: number,
    end: number,
  ): void {
    const { numContext, numPositions } = this.#description;
    const { stage } = stageAndTime(step, numPositions);
    const { scored } = this.arrays;
    rankMask(order, begin, end, this.#known);
    this.#eachVariable(row, order, (v, place, position) => {
      scored![place] = v < numContext ? 0 : this.#known[position]!;
    });
    for (const [name, tables] of this.#targets) {
      const array = this.arrays[name]!;
      this.#eachVariable(row, order, (v, place) => (array[place] = tables[stage]![example[v]!]!));
    }
    this.output.setExample(this.arrays, row, stage);
  }

  /** Where the distribution of a variable stands in the network's outputs: its location. */
  locationOf(variable: number, order: Int32Array): number {
    const { shape, numContext } = this.#description;
    return this.#isPermuted ? order[variable - numContext]! : Math.floor(variable / shape[2]);
  }

  #setStep(row: number, order: Int32Array, step: number): { stage: number } {
    const { numPositions, numStages, numContext, variablesPerPosition, shape, networkShape } =
      this.#description;
    const { stage, time } = stageAndTime(step, numPositions);
    const { mask, time: embedding, positions } = this.arrays;
    rankMask(order, 0, time, this.#known);
    if (mask) {
      const locations = shape[0] * shape[1];
      const base = row * networkShape.maskChannels * locations;
      const maskChannels = shape[2] / variablesPerPosition;
      mask.fill(1, base, base + numContext);
      for (let p = 0; p < numPositions; p++) {
        const v = p + numContext;
        mask[base + (v % maskChannels) * locations + Math.floor(v / maskChannels)] = this.#known[p]!;
      }
      for (let s = 0; s < networkShape.maskChannels - maskChannels; s++) {
        const begin = base + (maskChannels + s) * locations;
        mask.fill(s === stage ? 1 : 0, begin, begin + locations);
      }
    }
    if (embedding) {
      const width = embedding.length / this.#numRows();
      const into = embedding.subarray(row * width, (row + 1) * width) as Float32Array;
      embedTimeStep(step, numStages * numPositions, into);
    }
    if (positions) order.forEach((rank, position) => (positions[row * numPositions + rank] = position));
    return { stage };
  }

  #numRows(): number {
    return this.arrays.classes!.length / this.#places.length;
  }

  /** Calls with each variable, its place in the maps of the batch, and its position in the order. */
  #eachVariable(
    row: number,
    order: Int32Array,
    visit: (variable: number, place: number, position: number) => void,
  ): void {
    const { numContext, variablesPerPosition } = this.#description;
    const size = this.#places.length;
    const base = row * size;
    for (let v = 0; v < size; v++) {
      const position = Math.floor((v - numContext) / variablesPerPosition);
      visit(v, base + (this.#isPermuted ? order[position]! : this.#places[v]!), position);
    }
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

/** Classes of an example, its context included. */
export function exampleSize({ shape: [height, width, channels] }: Pick<ModelDescription, 'shape'>): number {
  return height * width * channels;
}

/** Throws UserError unless the classes are `count` examples of the model. */
export function checkExamples(examples: Classes, count: number, description: ModelDescription): void {
  const { numClasses } = description;
  const size = exampleSize(description);
  if (examples.length !== count * size)
    throw new UserError(
      `${count} examples of ${size} variables are ${count * size} classes, but there are ${examples.length}: the data are of another shape than the model.`,
    );
  if (numClasses === 2 ** (8 * examples.BYTES_PER_ELEMENT)) return;
  const wrong = (examples as Uint8Array).findIndex((value) => value >= numClasses);
  if (wrong >= 0)
    throw new UserError(
      `Example ${Math.floor(wrong / size)} has class ${examples[wrong]} at variable ${wrong % size}, but the model has classes 0 to ${numClasses - 1}: it was made for other data.`,
    );
}
