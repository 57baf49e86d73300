import type { Builder } from '../builder.js';
import { BLOCKED_DOMAIN } from '../layouts.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedProduct } from './blocked.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/**
 * Products of blocked x [B,g*C,H,W] and blocked y [B,g*O,H,W] over the batch and the locations, each row of x with the
 * row of y before it, its own and the one after it: [g,3,C/k,O,k].
 */
export function rowProducts(b: Builder, x: Value, y: Value, groups: number): Value {
  const [batch, , , width] = x.shape as Maps;
  const k = b.forms.channelBlock;
  const fills = k % width === 0 && batch % (k / width) === 0;
  return fills ? oneConvolution(b, x, y, groups) : threeProducts(b, x, y, groups);
}

/**
 * One convolution whose input channels are the columns of all examples: y has as many rows as x, a filter of that
 * height, and a row of zeros on either side. A block of channels holds a row of a few examples.
 */
function oneConvolution(b: Builder, x: Value, y: Value, groups: number): Value {
  const k = b.forms.channelBlock;
  const [batch, , height, width] = x.shape as Maps;
  const [blocksX, blocksY] = [x, y].map((v) => v.shape[1]! / groups / k) as [number, number];
  const together = k / width;
  const split = [batch / together, together, groups];

  const rowsX = b.reshape(x, [...split, blocksX, height, width * k]);
  const filter = b.transpose(rowsX, [2, 3, 0, 4, 1, 5]);
  const rowsY = b.reshape(y, [...split, blocksY, height, width * k]);
  const matrices = b.transpose(rowsY, [2, 0, 4, 3, 1, 5]);
  const shape = [groups * split[0]! * height * blocksY, k, 1, k];
  const exchanged = b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [b.reshape(matrices, shape)], shape);

  const input = b.reshape(exchanged, [1, groups * batch * width, height, blocksY * k]);
  const taps = b.reshape(filter, [groups * blocksX, (batch * width) / k, height, k, k]);
  const products = blockedConv(b, input, taps, [height, 1], { pads: [1, 0, 1, 0], groups });
  return b.transpose(b.reshape(products, [groups, blocksX, 3, blocksY * k, k]), [0, 2, 1, 3, 4]);
}

/** A product for each of the three, of shifted maps: of the smaller side, unless it is about as large. */
function threeProducts(b: Builder, x: Value, y: Value, groups: number): Value {
  const [batch, , , width] = x.shape as Maps;
  const [channels, outputs] = [x, y].map((v) => v.shape[1]! / groups) as [number, number];
  const rows = [-1, 0, 1].map((row) => {
    const shift = channels > 2 * outputs ? { y: -row * width } : { x: row * width };
    const product = blockedProduct(b, x, y, batch * groups, shift);
    return b.sum(b.reshape(product, [batch, groups, 1, channels * outputs]), [0]);
  });
  const k = b.forms.channelBlock;
  return b.reshape(b.concat(rows, 1), [groups, 3, channels / k, outputs, k]);
}
