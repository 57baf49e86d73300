import type { Classes } from '../../method/classes.js';
import type { ByteReader } from '../byte-reader.js';
import type { ByteWriter } from '../byte-writer.js';
import type { CoverageKind, CoverageModel } from '../file-coder.js';
import { Tiling, type ImagesSize } from './tiling.js';

/** What a model codes of a file, and what it does not. */
export interface Parts {
  readonly images: ImagesSize;
  /** Of all images, in the order height, width, channel. */
  readonly values: Classes;
  readonly rest: ByteWriter;
}

/** A format of files, taken apart for a model and put together again. */
export interface Format {
  readonly kind: CoverageKind;
  /** Whether a model can code what such files hold, if they are of the right size and depth. */
  fits(model: CoverageModel): boolean;
  /** Undefined where the bytes are of another format, or the model can't code what they hold after all. */
  take(bytes: Uint8Array, model: CoverageModel): Parts | undefined;
  /**
   * The bytes that `take` has taken apart. The rest may have been made by anyone.
   *
   * @param join gives the values of images of a size, and throws CompressionError unless the examples are as many as those need
   * @throws CompressionError
   */
  put(rest: ByteReader, model: CoverageModel, join: (images: ImagesSize) => Classes): Uint8Array;
}

/** Gives the values of images of the size that the rest states. */
export function joiner(examples: Classes, model: CoverageModel, rest: ByteReader) {
  return (images: ImagesSize): Classes => {
    const tiling = new Tiling(model, images);
    const [height, width, channels] = model.shape;
    if (tiling.count === 0 || tiling.count * height * width * channels !== examples.length) {
      const { count, height, width } = images;
      throw rest.error(`has another number of examples than ${count} images of ${height}x${width} need`);
    }
    return tiling.join(examples);
  };
}
