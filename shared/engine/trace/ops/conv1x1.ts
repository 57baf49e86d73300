import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** x [B,C,H,W], kernel [O,C], bias [O] -> [B,O,H,W] */
export function conv1x1(b: Builder, x: Value, kernel: Value, bias: Value): Value {
  return b.conv(x, b.reshape(kernel, [...kernel.shape, 1, 1]), { bias });
}

/** The gradient of x, from dy [B,O,H,W]. */
export function conv1x1Input(b: Builder, dy: Value, kernel: Value): Value {
  const exchanged = b.transpose(kernel, [1, 0]);
  return b.conv(dy, b.reshape(exchanged, [...exchanged.shape, 1, 1]));
}

/** The gradient of the kernel. */
export function conv1x1Kernel(b: Builder, x: Value, dy: Value): Value {
  const flat = (v: Value) => {
    const [batch, channels, height, width] = v.shape as Maps;
    return b.reshape(v, [batch, channels, height * width]);
  };
  return b.sum(b.matMul(flat(dy), flat(x), { transposeB: true }), [0]);
}
