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
  readonly #numUnused: number;

  constructor(batch: number, length: number) {
    this.#batch = batch;
    this.#length = length;
    this.#numUnused = Math.ceil((batch * length) / TOGETHER) * TOGETHER - batch * length;
  }

  /** [B,L,D] -> [1,D,1,N] */
  fromRows(rows: Tensor): Tensor {
    const width = rows.shape[2]!;
    const flat = tf.reshape(rows, [this.#batch * this.#length, width]);
    const filled = this.#numUnused === 0 ? flat : tf.concat([flat, tf.zeros([this.#numUnused, width])], 0);
    return this.#asMap(tf.transpose(filled));
  }

  /** [B,D,1,L] -> [1,D,1,N] */
  fromMaps(maps: Tensor): Tensor {
    const width = maps.shape[1]!;
    const perExample = tf.reshape(maps, [this.#batch, width, this.#length]);
    const flat = tf.reshape(tf.transpose(perExample, [1, 0, 2]), [width, this.#batch * this.#length]);
    const filled = this.#numUnused === 0 ? flat : tf.concat([flat, tf.zeros([width, this.#numUnused])], 1);
    return this.#asMap(filled);
  }

  /** [1,D,1,N] -> [B,D,1,L] */
  toMaps(x: Tensor): Tensor {
    const width = x.shape[1]!;
    const used = this.#batch * this.#length;
    const flat = tf.slice(tf.reshape(x, [width, used + this.#numUnused]), [0, 0], [width, used]);
    const perExample = tf.transpose(tf.reshape(flat, [width, this.#batch, this.#length]), [1, 0, 2]);
    return tf.reshape(perExample, [this.#batch, width, 1, this.#length]);
  }

  #asMap(x: Tensor): Tensor {
    return tf.reshape(x, [1, x.shape[0]!, 1, x.shape[1]!]);
  }
}
