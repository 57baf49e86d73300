import type { Builder } from '../builder.js';
import { TILE, tiles } from '../layouts.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedFilter, canBlock, depthwise, sameTaps } from './blocked.js';
import { rowProducts } from './row-products.js';

// Winograd's F(4,3) along the width: four outputs of a three-tap filter from six products instead of twelve. The
// height keeps its three taps, as convolutions of 3x1 in six groups, one for each product. The matrices are those of
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", section 4.3.

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

/** What each product takes of the four maps of its own tile, of the tile before it and of the one after it. */
interface Transform {
  readonly own: readonly (readonly number[])[];
  readonly before?: readonly (readonly number[])[];
  readonly after?: readonly (readonly number[])[];
}

/** B^T reaches one location beyond the tile on either side. */
const OF_INPUTS: Transform = {
  own: INPUT.map((taps) => taps.slice(1, 5)),
  before: INPUT.map((taps) => [0, 0, 0, taps[0]]),
  after: INPUT.map((taps) => [taps[5], 0, 0, 0]),
};
const OF_OUTPUTS: Transform = { own: OUTPUT };

type Maps = [batch: number, channels: number, height: number, width: number];

/**
 * Whether a convolution can be done so, and the products saved are worth the transforms (measured). Reorderings take
 * locations by fours.
 */
export function winogradPays(b: Builder, x: readonly number[], kernel: readonly number[]): boolean {
  const [, outputs, inputs] = kernel as [number, number, number];
  const [height, width] = [x[2]!, x[3]!];
  const divides = tiles(x) && ((height * width) / TILE) % 4 === 0;
  return canBlock(b, inputs, outputs) && divides && inputs * outputs >= 256;
}

/** x [B,C,H,W], kernel [9,O,C], bias [O] -> [B,O,H,W] */
export function winogradConv3x3(b: Builder, x: Value, kernel: Value, bias?: Value): Value {
  const products = multiply(b, scatterTiles(b, x, OF_INPUTS), b.transpose(kernel, [0, 2, 1]), false, bias);
  return gatherTiles(b, products, kernel.shape[1]!, OF_OUTPUTS);
}

/** The gradient of x: the transposed transforms in the opposite order. */
export function winogradConv3x3Input(b: Builder, dy: Value, kernel: Value): Value {
  const products = multiply(b, scatterTiles(b, dy, OF_OUTPUTS), kernel, true);
  return gatherTiles(b, products, kernel.shape[2]!, OF_INPUTS);
}

/** The gradient of the kernel [9,O,C], from the transformed x and dy. */
export function winogradConv3x3Kernel(b: Builder, x: Value, dy: Value): Value {
  const [inputs, outputs] = [x.shape[1]!, dy.shape[1]!];
  const [tilesX, tilesDy] = [scatterTiles(b, x, OF_INPUTS), scatterTiles(b, dy, OF_OUTPUTS)];
  // The second one is rearranged more.
  const rearrangesX = outputs > 2 * inputs;
  const products = rearrangesX
    ? rowProducts(b, tilesDy, tilesX, PRODUCTS)
    : rowProducts(b, tilesX, tilesDy, PRODUCTS);
  const stacked = b.reshape(products, [PRODUCTS * 3, inputs * outputs]);
  const sums = b.matMul(transposedFilterMatrix(b, !rearrangesX), stacked);
  const k = b.forms.channelBlock;
  const ordered = rearrangesX
    ? b.transpose(b.reshape(sums, [9, outputs / k, inputs, k]), [0, 1, 3, 2])
    : b.transpose(b.reshape(sums, [9, inputs / k, outputs, k]), [0, 2, 1, 3]);
  return b.reshape(ordered, [9, outputs, inputs]);
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

/** [B,C,H,W] to blocked products [B,6C,H,W/4], product-major. */
function scatterTiles(b: Builder, x: Value, { own, before, after }: Transform): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const tiles = b.reshape(b.layouts.toBlocked(x), [batch, channels, TILE * height, width / TILE]);
  const products = own.map((taps, i) => combineRows(b, tiles, height, taps, before?.[i], after?.[i]));
  return b.concat(products, 1);
}

/**
 * Blocked products [B,6C,H,W/4] to [B,C,H,W]: the transpose of the scattering. Of each example, the products lie one
 * after another as if they were the rows of one block of channels.
 */
function gatherTiles(
  b: Builder,
  products: Value,
  channels: number,
  { own, before, after }: Transform,
): Value {
  const k = b.forms.channelBlock;
  const [batch, , height, tiles] = products.shape as Maps;
  const blocks = channels / k;
  const stacked = b.reshape(products, [batch, k, PRODUCTS * blocks * height, tiles]);
  const column = (matrix: Transform['before'], i: number) => matrix?.map((taps) => taps[i]!);
  const outputs = Array.from({ length: TILE }, (_, i) =>
    // What a tile gave to the next one comes back from it.
    combineRows(b, stacked, blocks * height, column(own, i)!, column(after, i), column(before, i)),
  );
  const maps = outputs.map((output) => b.reshape(output, [batch * blocks, height * tiles * k]));
  return b.layouts.fromBlocked(b.reshape(b.concat(maps, 1), [batch, channels, height, TILE * tiles]));
}

/**
 * Blocked [B,C,n*distance,W] -> [B,C,distance,W]: the sum of n rows so far apart, each times its tap, and of those of
 * the columns before and after.
 */
function combineRows(
  b: Builder,
  x: Value,
  distance: number,
  own: readonly number[],
  before?: readonly number[],
  after?: readonly number[],
): Value {
  const [left, right] = [before, after].map((taps) => (taps?.some((tap) => tap !== 0) ? taps : undefined));
  const taps = own.flatMap((tap, i) => [...(left ? [left[i]!] : []), tap, ...(right ? [right[i]!] : [])]);
  const filters = sameTaps(b, x.shape[1]!, taps, [own.length, taps.length / own.length]);
  return depthwise(b, x, filters, { pads: [0, left ? 1 : 0, 0, right ? 1 : 0], dilations: [distance, 1] });
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

/** [9,18]: the transpose of the above. */
function transposedFilterMatrix(b: Builder, turned: boolean): Value {
  const matrix = new Float32Array(9 * 18);
  forEachTap((product, row, column, coefficient) => {
    matrix[(row * 3 + column) * 18 + product * 3 + (turned ? 2 - row : row)] = coefficient;
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
