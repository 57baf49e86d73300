import { sinusoids } from '../../method/time-embedding.js';
import { tf, type Tensor } from '../tensors.js';

/** The fixed embedding of positions 0 to length - 1: sines, then cosines, [length, width]. */
export function positionTable(length: number, width: number): Tensor {
  const table = new Float32Array(length * width);
  for (let position = 0; position < length; position++)
    sinusoids(position, table.subarray(position * width, (position + 1) * width));
  return tf.tensor2d(table, [length, width]);
}

/** Rows [B,L,D] one place later, the first row [1,D] before them. */
export function shiftRight(rows: Tensor, first: Tensor): Tensor {
  const [batch, length, width] = rows.shape as [number, number, number];
  const start = tf.tile(tf.reshape(first, [1, 1, width]), [batch, 1, 1]);
  return tf.concat([start, tf.slice(rows, [0, 0, 0], [batch, length - 1, width])], 1);
}
