import type { Builder } from '../builder.js';
import { tiles } from '../layouts.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedFilter, canBlock } from './blocked.js';
import { winogradConv3x3, winogradConv3x3Input, winogradConv3x3Kernel, winogradPays } from './winograd.js';

const SAME = { pads: [1, 1, 1, 1] } as const;

type Maps = [batch: number, channels: number, height: number, width: number];

/** x [B,C,H,W], kernel [9,O,C], bias [O] -> [B,O,H,W] */
export function conv3x3(b: Builder, x: Value, kernel: Value, bias?: Value): Value {
  if (winogradPays(b, x.shape, kernel.shape)) return winogradConv3x3(b, x, kernel, bias);
  const options = { ...(bias ? { bias } : {}), ...SAME };
  if (!blocks(b, x, x.shape[1]!, kernel.shape[1]!)) return b.conv(x, squareKernel(b, kernel), options);
  const taps = b.transpose(kernel, [0, 2, 1]);
  const filter = blockedFilter(b, b.reshape(taps, [1, ...taps.shape]));
  return b.layouts.fromBlocked(blockedConv(b, b.layouts.toBlocked(x), filter, [3, 3], options));
}

/** The gradient of x, from dy [B,O,H,W]: the same convolution with the kernel turned around, in and out exchanged. */
export function conv3x3Input(b: Builder, dy: Value, kernel: Value): Value {
  if (winogradPays(b, dy.shape, kernel.shape)) return winogradConv3x3Input(b, dy, kernel);
  const turned = b.gather(kernel, b.ints([8, 7, 6, 5, 4, 3, 2, 1, 0]));
  if (!blocks(b, dy, dy.shape[1]!, kernel.shape[2]!))
    return b.conv(dy, squareKernel(b, b.transpose(turned, [0, 2, 1])), SAME);
  const filter = blockedFilter(b, b.reshape(turned, [1, ...turned.shape]));
  return b.layouts.fromBlocked(blockedConv(b, b.layouts.toBlocked(dy), filter, [3, 3], SAME));
}

/**
 * The gradient of the kernel: every shift of x along the width times every shift of dy along the height, in one
 * product of 3O by 3C rows.
 */
export function conv3x3Kernel(b: Builder, x: Value, dy: Value): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  if (winogradPays(b, x.shape, [9, outputs, inputs])) return winogradConv3x3Kernel(b, x, dy);
  const shiftedX = [1, 0, -1].map((shift) => shiftWidth(b, x, shift));
  const shiftedDy = [-1, 0, 1].map((shift) => shiftHeight(b, dy, shift));
  const left = b.reshape(b.concat(shiftedDy, 1), [batch, 3 * outputs, height * width]);
  const right = b.reshape(b.concat(shiftedX, 1), [batch, 3 * inputs, height * width]);
  const products = b.sum(b.matMul(left, right, { transposeB: true }), [0]);
  const separated = b.reshape(products, [3, outputs, 3, inputs]);
  return b.reshape(b.transpose(separated, [0, 2, 1, 3]), [9, outputs, inputs]);
}

/** Whether maps can be convolved in blocked layout: only where that keeps each row's locations side by side. */
function blocks(b: Builder, x: Value, ...channels: readonly number[]): boolean {
  return canBlock(b, ...channels) && !tiles(x.shape);
}

/** [9,O,C] -> [O,C,3,3], as ONNX's Conv takes it. */
export function squareKernel(b: Builder, kernel: Value): Value {
  const [, outputs, inputs] = kernel.shape as [number, number, number];
  const last = b.transpose(b.reshape(kernel, [9, outputs * inputs]), [1, 0]);
  return b.reshape(last, [outputs, inputs, 3, 3]);
}

/** y[.., w] = x[.., w - shift], zeros outside. */
function shiftWidth(b: Builder, x: Value, shift: number): Value {
  return shift === 0 ? x : b.pad(x, [0, 0, 0, shift], [0, 0, 0, -shift]);
}

/** y[.., h, w] = x[.., h - shift, w], zeros outside; as one long axis, which is copied faster. */
function shiftHeight(b: Builder, x: Value, shift: number): Value {
  if (shift === 0) return x;
  const [batch, channels, height, width] = x.shape as Maps;
  const flat = b.reshape(x, [batch * channels, height * width]);
  return b.reshape(b.pad(flat, [0, shift * width], [0, -shift * width]), x.shape);
}
