import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/**
 * classes int32 [B,C,H,W], table [K,q], projection [C,q,p] -> [B,p,H,W]: the table is projected first, once for
 * each data channel, and its rows are summed.
 */
export function embedClasses(b: Builder, classes: Value, table: Value, projection: Value): Value {
  const rows = b.gather(projectedTable(b, table, projection), rowsOf(b, classes, table));
  return b.transpose(b.sum(rows, [1]), [0, 3, 1, 2]);
}

/** The gradients of table and projection. */
export function embedGradients(
  b: Builder,
  dy: Value,
  classes: Value,
  table: Value,
  projection: Value,
): [Value, Value] {
  const [batch, channels, height, width] = classes.shape as Maps;
  const [, features, outputs] = projection.shape as [number, number, number];
  const numClasses = table.shape[0]!;
  const perLocation = b.reshape(b.transpose(dy, [0, 2, 3, 1]), [batch, 1, height, width, outputs]);
  const dRows =
    b.forms.device === 'cpu'
      ? scatter(b, perLocation, rowsOf(b, classes, table), channels * numClasses)
      : oneHotProduct(b, perLocation, classes, numClasses);
  const dProjected = b.reshape(dRows, [channels, numClasses, outputs]);
  const dTable = b.sum(b.matMul(dProjected, projection, { transposeB: true }), [0]);
  const tables = b.expand(b.reshape(table, [1, numClasses, features]), [channels, numClasses, features]);
  return [dTable, b.matMul(tables, dProjected, { transposeA: true })];
}

/** [C*K,p] */
function projectedTable(b: Builder, table: Value, projection: Value): Value {
  const [channels, , outputs] = projection.shape as [number, number, number];
  const product = b.matMul(b.reshape(table, [1, ...table.shape]), projection);
  return b.reshape(product, [channels * table.shape[0]!, outputs]);
}

/** Each variable's row of the projected table. */
function rowsOf(b: Builder, classes: Value, table: Value): Value {
  const channels = classes.shape[1]!;
  if (channels === 1) return classes;
  const first = Int32Array.from({ length: channels }, (_, channel) => channel * table.shape[0]!);
  return b.add(classes, b.graph.constant(first, 'int32', [1, channels, 1, 1]));
}

function scatter(b: Builder, dy: Value, rows: Value, numRows: number): Value {
  const [batch, , height, width, outputs] = dy.shape as [...Maps, number];
  const channels = rows.shape[1]!;
  const numUpdates = batch * channels * height * width;
  const indices = b.reshape(b.cast(rows, 'int64'), [numUpdates, 1]);
  const updates = b.reshape(b.expand(dy, [batch, channels, height, width, outputs]), [numUpdates, outputs]);
  const zeros = b.filled([numRows, outputs]);
  return b.op('ScatterND', [zeros, indices, updates], [numRows, outputs], { reduction: 'add' });
}

/** The same sums as products, in a fixed order: scattering on GPUs adds in any order. */
function oneHotProduct(b: Builder, dy: Value, classes: Value, numClasses: number): Value {
  const [batch, channels, height, width] = classes.shape as Maps;
  const locations = batch * height * width;
  const outputs = dy.shape.at(-1)!;
  const byChannel = b.transpose(b.cast(classes, 'float32'), [1, 0, 2, 3]);
  const range = b.floats(
    Float32Array.from({ length: numClasses }, (_, k) => k),
    [1, numClasses, 1],
  );
  const hot = b.cast(b.compare('Equal', b.reshape(byChannel, [channels, 1, locations]), range), 'float32');
  return b.reshape(b.matMul(hot, b.reshape(dy, [1, locations, outputs])), [channels * numClasses, outputs]);
}
