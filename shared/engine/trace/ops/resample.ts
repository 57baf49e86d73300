import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { squareKernel } from './conv3x3.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** Top, left, bottom, right: an even size needs no zero before. */
function padsOf(height: number, width: number): [number, number, number, number] {
  return [height % 2, width % 2, 1, 1];
}

/** x [B,C,H,W], kernel [9,O,C], bias [O] -> [B,O,ceil(H/2),ceil(W/2)] */
export function conv3x3Stride2(b: Builder, x: Value, kernel: Value, bias: Value): Value {
  const [, , height, width] = x.shape as Maps;
  return b.conv(x, squareKernel(b, kernel), { bias, pads: padsOf(height, width), strides: [2, 2] });
}

/** The gradient of x, of height and width as given. */
export function conv3x3Stride2Input(
  b: Builder,
  dy: Value,
  kernel: Value,
  [, , height, width]: readonly number[],
): Value {
  const pads = padsOf(height!, width!);
  return b.convTranspose(dy, squareKernel(b, kernel), { pads, strides: [2, 2] });
}

/** The gradient of the kernel: the nine shifts of x, every second row and column, times dy. */
export function conv3x3Stride2Kernel(b: Builder, x: Value, dy: Value): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const [, outputs, rows, columns] = dy.shape as Maps;
  const [top, left, bottom, right] = padsOf(height, width);
  const padded = b.pad(x, [0, 0, top, left], [0, 0, bottom, right]);
  const taps = Array.from({ length: 9 }, (_, tap) => {
    const begin = [0, 0, Math.floor(tap / 3), tap % 3];
    return b.slice(padded, begin, [batch, inputs, rows, columns], [1, 1, 2, 2]);
  });
  const right9 = b.reshape(b.concat(taps, 1), [batch, 9 * inputs, rows * columns]);
  const left1 = b.reshape(dy, [batch, outputs, rows * columns]);
  const products = b.sum(b.matMul(left1, right9, { transposeB: true }), [0]);
  return b.transpose(b.reshape(products, [outputs, 9, inputs]), [1, 0, 2]);
}

/** [B,C,H,W] -> [B,C,2H,2W] */
export function upsample2(b: Builder, x: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = batch * channels * height;
  const spread = b.expand(b.reshape(x, [rows, 1, width, 1]), [rows, 2, width, 2]);
  return b.reshape(spread, [batch, channels, 2 * height, 2 * width]);
}

/** The gradient of x: the sum over each square of four. */
export function upsample2Input(b: Builder, dy: Value): Value {
  const [batch, channels, height, width] = dy.shape as Maps;
  const squares = b.reshape(dy, [(batch * channels * height) / 2, 2, width / 2, 2]);
  return b.reshape(b.sum(squares, [1, 3]), [batch, channels, height / 2, width / 2]);
}
