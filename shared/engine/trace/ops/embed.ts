import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { oneHotProduct, scatter } from './scatter.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** The gradient of a table [K,D] from that of its rows [...,D] by their numbers [...]. */
export function embedTable(b: Builder, dy: Value, rows: Value, table: Value): Value {
  const [numRows, width] = table.shape as [number, number];
  const size = rows.shape.reduce((product, extent) => product * extent);
  const flat = b.reshape(rows, [1, 1, 1, size]);
  const sums = b.forms.device === 'cpu' ? scatter : oneHotProduct;
  return sums(b, b.reshape(dy, [...flat.shape, width]), flat, numRows);
}

/**
 * classes int32 [B,C,H,W], table [K,q], projection [C,q,p] -> [B,p,H,W]. The table is projected first, once for each
 * data channel, and its rows are summed; a table of more rows than there are locations is left alone, and the
 * rows taken from it are projected.
 */
export function embedClasses(b: Builder, classes: Value, table: Value, projection: Value): Value {
  const [batch, , height, width] = classes.shape as Maps;
  if (isShort(table, classes)) {
    const rows = b.gather(projectedTable(b, table, projection), rowsOf(b, classes, table));
    return b.transpose(b.sum(rows, [1]), [0, 3, 1, 2]);
  }
  const product = b.matMul(takenRows(b, classes, table), flatProjection(b, projection));
  return b.transpose(b.reshape(product, [batch, height, width, projection.shape[2]!]), [0, 3, 1, 2]);
}

/** The gradients of table and projection. */
export function embedGradients(
  b: Builder,
  dy: Value,
  classes: Value,
  table: Value,
  projection: Value,
): [Value, Value] {
  const gradients = isShort(table, classes) ? throughTable : throughRows;
  return gradients(b, b.transpose(dy, [0, 2, 3, 1]), classes, table, projection);
}

/** From dy [B,H,W,p]: summed for each row of the projected table. */
function throughTable(
  b: Builder,
  dy: Value,
  classes: Value,
  table: Value,
  projection: Value,
): [Value, Value] {
  const [batch, channels, height, width] = classes.shape as Maps;
  const [, features, outputs] = projection.shape as [number, number, number];
  const numClasses = table.shape[0]!;
  const perLocation = b.reshape(dy, [batch, 1, height, width, outputs]);
  const dRows =
    b.forms.device === 'cpu'
      ? scatter(b, perLocation, rowsOf(b, classes, table), channels * numClasses)
      : oneHotProduct(b, perLocation, classes, numClasses);
  const dProjected = b.reshape(dRows, [channels, numClasses, outputs]);
  const dTable = b.sum(b.matMul(dProjected, projection, { transposeB: true }), [0]);
  const tables = b.expand(b.reshape(table, [1, numClasses, features]), [channels, numClasses, features]);
  return [dTable, b.matMul(tables, dProjected, { transposeA: true })];
}

/** From dy [B,H,W,p]: projected back for each location, then summed for each row of the table. */
function throughRows(b: Builder, dy: Value, classes: Value, table: Value, projection: Value): [Value, Value] {
  const [batch, channels, height, width] = classes.shape as Maps;
  const [, features, outputs] = projection.shape as [number, number, number];
  const rows = b.reshape(dy, [batch * height * width, outputs]);
  const dTaken = b.matMul(rows, flatProjection(b, projection), { transposeB: true });
  const separated = b.reshape(dTaken, [batch, height, width, channels, features]);
  const perVariable = b.transpose(separated, [0, 3, 1, 2, 4]);
  const numClasses = table.shape[0]!;
  const dTable =
    b.forms.device === 'cpu'
      ? scatter(b, perVariable, classes, numClasses)
      : b.sum(b.reshape(oneHotProduct(b, perVariable, classes, numClasses), [channels, ...table.shape]), [0]);
  const dProjection = b.matMul(takenRows(b, classes, table), rows, { transposeA: true });
  return [dTable, b.reshape(dProjection, projection.shape)];
}

/** Whether a table has no more rows than there are locations. */
function isShort(table: Value, classes: Value): boolean {
  const [batch, , height, width] = classes.shape as Maps;
  return table.shape[0]! <= batch * height * width;
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

/** The rows of the table at each location, those of the data channels side by side: [B*H*W,C*q]. */
function takenRows(b: Builder, classes: Value, table: Value): Value {
  const [batch, channels, height, width] = classes.shape as Maps;
  const perLocation = b.transpose(b.gather(table, classes), [0, 2, 3, 1, 4]);
  return b.reshape(perLocation, [batch * height * width, channels * table.shape[1]!]);
}

/** [C*q,p] */
function flatProjection(b: Builder, projection: Value): Value {
  const [channels, features, outputs] = projection.shape as [number, number, number];
  return b.reshape(projection, [channels * features, outputs]);
}
