import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import {
  blockedConv,
  blockedFilter,
  blockedProduct,
  canBlock,
  depthwise,
  fromBlocked,
  toBlocked,
} from './blocked.js';

// Winograd's F(4,3) along the width: four outputs of a three-tap filter from six products instead of twelve. The
// height keeps its three taps, as convolutions of 3x1 in six groups, one for each product. The matrices are those of
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", section 4.3.

const TILE = 4;
const PRODUCTS = 6;

/** B^T, of the six products and the six inputs of a tile. */
const INPUT = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
] as const;

/** G, of the six products and the three taps. */
const FILTER = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/** A, of the six products and the four outputs of a tile. */
const OUTPUT = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
] as const;

/** The taps of a transform's six products; those of inputs reach one location beyond the tile on either side. */
const TRANSFORMS = {
  input: { taps: INPUT, pads: [0, 1, 0, 1] },
  output: { taps: OUTPUT, pads: [0, 0, 0, 0] },
} as const;
type Transform = keyof typeof TRANSFORMS;

type Maps = [batch: number, channels: number, height: number, width: number];

/**
 * Whether a convolution can be done so, and the products saved are worth the transforms (measured, see
 * docs/engine.md). Reorderings take locations by fours.
 */
export function winogradPays(b: Builder, x: readonly number[], kernel: readonly number[]): boolean {
  const [, outputs, inputs] = kernel as [number, number, number];
  const [height, width] = [x[2]!, x[3]!];
  const divides = width % TILE === 0 && ((height * width) / TILE) % 4 === 0;
  return canBlock(b, inputs, outputs) && divides && inputs * outputs >= 512;
}

/** x [B,C,H,W], kernel [9,O,C], bias [O] -> [B,O,H,W] */
export function winogradConv3x3(b: Builder, x: Value, kernel: Value, bias?: Value): Value {
  const products = multiply(b, scatterTiles(b, x, 'input'), b.transpose(kernel, [0, 2, 1]), false, bias);
  return gatherTiles(b, products, kernel.shape[1]!, 'output');
}

/** The gradient of x: the transposed transforms in the opposite order. */
export function winogradConv3x3Input(b: Builder, dy: Value, kernel: Value): Value {
  const products = multiply(b, scatterTiles(b, dy, 'output'), kernel, true);
  return gatherTiles(b, products, kernel.shape[2]!, 'input');
}

/** The gradient of the kernel [9,O,C], from the transformed x and dy: one product for each of the three rows. */
export function winogradConv3x3Kernel(b: Builder, x: Value, dy: Value): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  const tiles = width / TILE;
  const locations = height * tiles;
  const blockedX = scatterTiles(b, x, 'input');
  const dyTiles = fromBlocked(b, scatterTiles(b, dy, 'output'));
  const plainDy = b.reshape(dyTiles, [batch * PRODUCTS, outputs, locations]);
  const taps = [1, 0, -1].map((shift) => {
    const product = blockedProduct(b, blockedX, plainDy, shift * tiles);
    return b.sum(b.reshape(product, [batch, PRODUCTS, 1, inputs * outputs]), [0]);
  });
  const stacked = b.reshape(b.concat(taps, 1), [PRODUCTS * 3, inputs * outputs]);
  const k = b.forms.channelBlock;
  const ordered = b.reshape(b.matMul(transposedFilterMatrix(b), stacked), [9, inputs / k, outputs, k]);
  return b.reshape(b.transpose(ordered, [0, 2, 1, 3]), [9, outputs, inputs]);
}

/** Blocked tiles [B,6C,H,W/4] by filters made of taps [9,C,O] -> blocked [B,6O,H,W/4]. */
function multiply(b: Builder, tiles: Value, taps: Value, turned: boolean, bias?: Value): Value {
  const [, inputs, outputs] = taps.shape as [number, number, number];
  const filter = b.matMul(filterMatrix(b, turned), b.reshape(taps, [9, inputs * outputs]));
  return blockedConv(b, tiles, blockedFilter(b, b.reshape(filter, [PRODUCTS, 3, inputs, outputs])), [3, 1], {
    ...(bias ? { bias: biasOfProducts(b, bias) } : {}),
    pads: [1, 0, 1, 0],
    groups: PRODUCTS,
  });
}

/** Plain [B,C,H,W] to blocked tiles [B,6C,H,W/4], product-major. */
function scatterTiles(b: Builder, x: Value, transform: Transform): Value {
  const { taps, pads } = TRANSFORMS[transform];
  const blocked = toBlocked(b, x);
  const strides = [1, TILE] as const;
  const products = taps.map((row) => depthwise(b, blocked, row, [1, row.length], { pads, strides }));
  return b.concat(products, 1);
}

/** Blocked products [B,6C,H,W/4] to plain [B,C,H,W]: the transpose of the scattering, with a stride of a tile. */
function gatherTiles(b: Builder, products: Value, channels: number, transform: Transform): Value {
  const [batch, , height, tiles] = products.shape as Maps;
  const { taps, pads } = TRANSFORMS[transform];
  const kernel = b.floats(Float32Array.from(taps.flat()), [PRODUCTS, 1, 1, taps[0].length]);
  const rows = b.reshape(fromBlocked(b, products), [batch, PRODUCTS, channels * height, tiles]);
  const y = b.convTranspose(rows, kernel, { pads, strides: [1, TILE] });
  return b.reshape(y, [batch, channels, height, TILE * tiles]);
}

/** A constant over a tile is one of the six products alone: the second. */
function biasOfProducts(b: Builder, bias: Value): Value {
  const [outputs] = bias.shape as [number];
  const zeros = (count: number) => b.floats(new Float32Array(count), [count]);
  return b.concat([zeros(outputs), bias, zeros(4 * outputs)], 0);
}

/** [18,9]: from the 3x3 taps to (product, row); rows turned around where the convolution is transposed. */
function filterMatrix(b: Builder, turned = false): Value {
  const matrix = new Float32Array(18 * 9);
  forEachTap((product, row, column, coefficient) => {
    matrix[(product * 3 + (turned ? 2 - row : row)) * 9 + row * 3 + column] = coefficient;
  });
  return b.floats(matrix, [18, 9]);
}

/** [9,18] */
function transposedFilterMatrix(b: Builder): Value {
  const matrix = new Float32Array(9 * 18);
  forEachTap((product, row, column, coefficient) => {
    matrix[(row * 3 + column) * 18 + product * 3 + row] = coefficient;
  });
  return b.floats(matrix, [9, 18]);
}

function forEachTap(
  visit: (product: number, row: number, column: number, coefficient: number) => void,
): void {
  FILTER.forEach((taps, product) =>
    taps.forEach((coefficient, column) => {
      for (let row = 0; row < 3; row++) visit(product, row, column, coefficient);
    }),
  );
}
