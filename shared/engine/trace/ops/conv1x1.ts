import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { BLOCKED_DOMAIN } from '../layouts.js';
import { blockedConv, blockedProduct, canBlock } from './blocked.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** x [B,C,H,W], kernel [O,C], bias [O] -> [B,O,H,W] */
export function conv1x1(b: Builder, x: Value, kernel: Value, bias?: Value): Value {
  if (canBlock(b, ...kernel.shape)) return blocked(b, x, filterOf(b, kernel), bias);
  return b.conv(x, b.reshape(kernel, [...kernel.shape, 1, 1]), bias ? { bias } : {});
}

/** The gradient of x, from dy [B,O,H,W]; with a bias [C], a layer of the transposed kernel. */
export function conv1x1Input(b: Builder, dy: Value, kernel: Value, bias?: Value): Value {
  if (canBlock(b, ...kernel.shape)) return blocked(b, dy, filterOfTransposed(b, kernel), bias);
  const exchanged = b.transpose(kernel, [1, 0]);
  return b.conv(dy, b.reshape(exchanged, [...exchanged.shape, 1, 1]), bias ? { bias } : {});
}

/** The gradient of the kernel. Of x and dy, one is reordered for it: the one of fewer channels unless told. */
export function conv1x1Kernel(b: Builder, x: Value, dy: Value, reordered?: 'x'): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  if (canBlock(b, inputs, outputs)) {
    const isX = reordered === 'x' || inputs <= outputs;
    return blockedKernel(b, b.layouts.toBlocked(x), b.layouts.toBlocked(dy), isX);
  }
  const flat = (v: Value) => b.reshape(v, [batch, v.shape[1]!, height * width]);
  return b.sum(b.matMul(flat(dy), flat(x), { transposeB: true }), [0]);
}

function blocked(b: Builder, x: Value, filter: Value, bias?: Value): Value {
  return b.layouts.fromBlocked(blockedConv(b, b.layouts.toBlocked(x), filter, [1, 1], bias ? { bias } : {}));
}

// A kernel [O,C] is laid out as a map of O channels at C locations, or, channels last, of C channels at O
// locations: what orders a map in blocks makes filters of it, and the other way around.

/** kernel [O,C] -> [O/k,C/k,1,k,k] */
function filterOf(b: Builder, kernel: Value): Value {
  const [outputs, inputs] = kernel.shape as [number, number];
  const map = b.reshape(kernel, [1, outputs, 1, inputs]);
  return asFilter(b, b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [map], map.shape));
}

/** kernel [O,C] -> [C/k,O/k,1,k,k] */
function filterOfTransposed(b: Builder, kernel: Value): Value {
  const [outputs, inputs] = kernel.shape as [number, number];
  const map = b.reshape(kernel, [1, 1, outputs, inputs]);
  const shape = [1, inputs, 1, outputs];
  return asFilter(b, b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [map], shape, { channels_last: 1 }));
}

function asFilter(b: Builder, x: Value): Value {
  const k = b.forms.channelBlock;
  const [, outputs, , inputs] = x.shape as Maps;
  return b.reshape(x, [outputs / k, inputs / k, 1, k, k]);
}

/** The gradient of a kernel, [O,C], from blocked x and dy. */
function blockedKernel(b: Builder, x: Value, dy: Value, reordersX: boolean): Value {
  const [batch, inputs] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  const sum = (products: Value) => b.sum(products, [0]);
  const op = `${BLOCKED_DOMAIN}:ReorderOutput`;
  if (reordersX) {
    const map = b.reshape(sum(blockedProduct(b, dy, x, batch)), [1, outputs, 1, inputs]);
    return b.reshape(b.op(op, [map], map.shape, { channels: outputs }), [outputs, inputs]);
  }
  const map = b.reshape(sum(blockedProduct(b, x, dy, batch)), [1, inputs, 1, outputs]);
  const attributes = { channels: inputs, channels_last: 1 };
  return b.reshape(b.op(op, [map], [1, 1, outputs, inputs], attributes), [outputs, inputs]);
}
