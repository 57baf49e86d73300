import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

// Sums of updates that go to one row, the gradient of a look-up.

/** Comparisons that a product with one-hot rows holds at once. */
const FLAGS_TOGETHER = 2 ** 24;

/** updates [B,C,H,W,p], or [B,1,H,W,p] for all channels alike, rows int32 [B,C,H,W] -> sums [numRows,p] */
export function scatter(b: Builder, updates: Value, rows: Value, numRows: number): Value {
  const width = updates.shape.at(-1)!;
  const numUpdates = rows.shape.reduce((product, extent) => product * extent);
  const indices = b.reshape(b.cast(rows, 'int64'), [numUpdates, 1]);
  const each = b.reshape(b.expand(updates, [...rows.shape, width]), [numUpdates, width]);
  const zeros = b.filled([numRows, width]);
  return b.op('ScatterND', [zeros, indices, each], [numRows, width], { reduction: 'add' });
}

/**
 * The same sums for each channel, [C*numRows,p], as products with one-hot rows, in a fixed order: scattering on GPUs
 * adds in any order.
 */
export function oneHotProduct(b: Builder, updates: Value, rows: Value, numRows: number): Value {
  const [batch, channels, height, width] = rows.shape as [number, number, number, number];
  const locations = batch * height * width;
  const [, given, , , features] = updates.shape as [number, number, number, number, number];
  const byChannel = b.transpose(b.cast(rows, 'float32'), [1, 0, 2, 3]);
  const flatRows = b.reshape(byChannel, [channels, 1, locations]);
  const flatUpdates = b.reshape(b.transpose(updates, [1, 0, 2, 3, 4]), [given, locations, features]);
  const range = b.floats(
    Float32Array.from({ length: numRows }, (_, row) => row),
    [1, numRows, 1],
  );
  const most = Math.max(1, Math.floor(FLAGS_TOGETHER / (channels * numRows)));
  const sizes = Array.from({ length: Math.ceil(locations / most) }, (_, i) =>
    Math.min(most, locations - i * most),
  );
  const inParts = (v: Value, axis: number) => (sizes.length === 1 ? [v] : b.split(v, sizes, axis));
  const updateParts = inParts(flatUpdates, 1);
  const products = inParts(flatRows, 2).map((part, i) =>
    b.matMul(b.cast(b.compare('Equal', part, range), 'float32'), updateParts[i]!),
  );
  return b.reshape(products.reduce(b.add), [channels * numRows, features]);
}
