import type { Ops } from '../ops.js';
import { tf, type Tensor } from '../tensors.js';

/** CPUs' blocked layouts take locations by so many. */
const TOGETHER = 16;

/**
 * All positions of a batch as the locations of one map [1,D,1,N]: a dense layer is then one matrix product, its kernel's gradient
 * too. N is the next multiple of 16; the locations that fill it up hold whatever comes of zeros, and nothing reads them.
 */
export class Locations {
  readonly #batch: number;
  readonly #length: number;
  /** Of positions. */
  readonly #numUsed: number;
  /** N */
  readonly #count: number;

  constructor(batch: number, length: number) {
    this.#batch = batch;
    this.#length = length;
    this.#numUsed = batch * length;
    this.#count = Math.ceil(this.#numUsed / TOGETHER) * TOGETHER;
  }

  /** [B,L,D] -> [1,D,1,N] */
  fromRows(ops: Ops, rows: Tensor): Tensor {
    return ops.fromRows(tf.reshape(rows, [this.#numUsed, rows.shape[2]!]), this.#count);
  }

  /** [B,D,1,L] -> [1,D,1,N] */
  fromMaps(maps: Tensor): Tensor {
    const width = maps.shape[1]!;
    const perExample = tf.reshape(maps, [this.#batch, width, this.#length]);
    const flat = tf.reshape(tf.transpose(perExample, [1, 0, 2]), [width, this.#numUsed]);
    const filled = tf.concat([flat, tf.zeros([width, this.#count - this.#numUsed])], 1);
    return tf.reshape(filled, [1, width, 1, this.#count]);
  }

  /** [1,D,1,N] -> [B,D,1,L] */
  toMaps(x: Tensor): Tensor {
    const width = x.shape[1]!;
    const used = tf.slice(tf.reshape(x, [width, this.#count]), [0, 0], [width, this.#numUsed]);
    const perExample = tf.transpose(tf.reshape(used, [width, this.#batch, this.#length]), [1, 0, 2]);
    return tf.reshape(perExample, [this.#batch, width, 1, this.#length]);
  }
}
