import { allocateClasses, type Classes } from '../../method/classes.js';
import type { CoverageModel } from '../file-coder.js';

/** Images of the model's channels, one after another; sequences are images of one row. */
export interface ImagesSize {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Called with a place among the images' values, its place among the examples' variables, and how many follow each other in both. */
type OnRun = (place: number, variable: number, length: number) => void;

/**
 * How images of any size are cut into examples: tiles, row by row from the upper left corner, of which the last ones may reach across the right and
 * lower edges. The context of an example (only sequences have one) is class 0, as at the beginning of a text.
 */
export class Tiling {
  /** Examples. */
  readonly count: number;
  readonly #model: CoverageModel;
  readonly #images: ImagesSize;
  /** A tile's, without the context. */
  readonly #height: number;
  readonly #width: number;

  constructor(model: CoverageModel, images: ImagesSize) {
    this.#model = model;
    this.#images = images;
    this.#height = model.shape[0];
    this.#width = model.shape[1] - model.numContext;
    this.count =
      images.count * Math.ceil(images.height / this.#height) * Math.ceil(images.width / this.#width);
  }

  /** Values of all images, in the order height, width, channel, as examples; 0 where they reach across an edge. */
  cut(values: Classes): Classes {
    const examples = allocateClasses(this.#model.numClasses, this.count * this.#size);
    this.#eachRun((place, variable, length) =>
      examples.set(values.subarray(place, place + length), variable),
    );
    return examples;
  }

  /** The inverse of `cut`. */
  join(examples: Classes): Classes {
    const { count, height, width } = this.#images;
    const values = allocateClasses(this.#model.numClasses, count * height * width * this.#model.shape[2]);
    this.#eachRun((place, variable, length) =>
      values.set(examples.subarray(variable, variable + length), place),
    );
    return values;
  }

  /** For each variable of each example 1 where it lies across an edge; undefined where none does. */
  absent(): Uint8Array | undefined {
    if (this.#images.height % this.#height === 0 && this.#images.width % this.#width === 0) return undefined;
    const { numContext } = this.#model;
    const absent = new Uint8Array(this.count * this.#size).fill(1);
    for (let from = 0; from < absent.length; from += this.#size) absent.fill(0, from, from + numContext);
    this.#eachRun((_, variable, length) => absent.fill(0, variable, variable + length));
    return absent;
  }

  get #size(): number {
    const [height, width, channels] = this.#model.shape;
    return height * width * channels;
  }

  #eachRun(onRun: OnRun): void {
    const { count, height, width } = this.#images;
    const [, , channels] = this.#model.shape;
    let first = this.#model.numContext;
    for (let image = 0; image < count; image++) {
      for (let top = 0; top < height; top += this.#height) {
        for (let left = 0; left < width; left += this.#width) {
          const length = Math.min(this.#width, width - left) * channels;
          const numRows = Math.min(this.#height, height - top);
          for (let y = 0; y < numRows; y++) {
            const row = (image * height + top + y) * width + left;
            onRun(row * channels, first + y * this.#width * channels, length);
          }
          first += this.#size;
        }
      }
    }
  }
}
