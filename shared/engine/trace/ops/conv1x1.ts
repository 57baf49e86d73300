import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedFilter, blockedProduct, canBlock } from './blocked.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** x [B,C,H,W], kernel [O,C], bias [O] -> [B,O,H,W] */
export function conv1x1(b: Builder, x: Value, kernel: Value, bias: Value): Value {
  if (canBlock(b, ...kernel.shape)) return blocked(b, x, b.transpose(kernel, [1, 0]), bias);
  return b.conv(x, b.reshape(kernel, [...kernel.shape, 1, 1]), { bias });
}

/** The gradient of x, from dy [B,O,H,W]. */
export function conv1x1Input(b: Builder, dy: Value, kernel: Value): Value {
  if (canBlock(b, ...kernel.shape)) return blocked(b, dy, kernel);
  const exchanged = b.transpose(kernel, [1, 0]);
  return b.conv(dy, b.reshape(exchanged, [...exchanged.shape, 1, 1]));
}

/** The gradient of the kernel. */
export function conv1x1Kernel(b: Builder, x: Value, dy: Value): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  // Reorderings take locations by fours.
  if (canBlock(b, inputs, outputs) && (height * width) % 4 === 0) {
    const products = b.sum(blockedProduct(b, b.layouts.toBlocked(x), b.layouts.toBlocked(dy), batch), [0]);
    return b.reshape(b.transpose(products, [1, 0, 2]), [outputs, inputs]);
  }
  const flat = (v: Value) => b.reshape(v, [batch, v.shape[1]!, height * width]);
  return b.sum(b.matMul(flat(dy), flat(x), { transposeB: true }), [0]);
}

/** x [B,C,H,W] by taps [C,O] */
function blocked(b: Builder, x: Value, taps: Value, bias?: Value): Value {
  const filter = blockedFilter(b, b.reshape(taps, [1, 1, ...taps.shape]));
  return b.layouts.fromBlocked(blockedConv(b, b.layouts.toBlocked(x), filter, [1, 1], bias ? { bias } : {}));
}
