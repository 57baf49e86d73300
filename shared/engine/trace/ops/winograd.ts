import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedFilter, canBlock, fromBlocked, toBlocked } from './blocked.js';

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

/** A^T, of the four outputs and the six products. */
const OUTPUT = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
] as const;

type Maps = [batch: number, channels: number, height: number, width: number];

/** Whether the products saved are worth the transforms: measured on CPUs, see docs/engine.md. */
export function winogradPays(b: Builder, x: readonly number[], kernel: readonly number[]): boolean {
  const [, outputs, inputs] = kernel as [number, number, number];
  const saved = 0.12 * inputs * outputs;
  const transforms = 2.8 * inputs + 2.2 * outputs;
  const margin = canBlock(b, inputs, outputs) ? 0.6 : 1.2;
  return b.forms.device === 'cpu' && x[3]! % TILE === 0 && saved > margin * transforms;
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

/** Tiles [B,6C,H,W/4] by filters made of taps [9,C,O] -> [B,6O,H,W/4]. */
function multiply(b: Builder, tiles: Value, taps: Value, turned: boolean, bias?: Value): Value {
  const [, inputs, outputs] = taps.shape as [number, number, number];
  const filter = b.matMul(filterMatrix(b, turned), b.reshape(taps, [9, inputs * outputs]));
  const options = {
    ...(bias ? { bias: biasOfProducts(b, bias) } : {}),
    pads: [1, 0, 1, 0],
    groups: PRODUCTS,
  } as const;
  if (canBlock(b, inputs, outputs)) {
    const blocked = blockedFilter(b, b.reshape(filter, [PRODUCTS, 3, inputs, outputs]));
    return fromBlocked(b, blockedConv(b, toBlocked(b, tiles), blocked, [3, 1], options));
  }
  const ordered = b.transpose(b.reshape(filter, [PRODUCTS, 3, inputs, outputs]), [0, 3, 2, 1]);
  return b.conv(tiles, b.reshape(ordered, [PRODUCTS * outputs, inputs, 3, 1]), options);
}

/** The gradient of the kernel [9,O,C], from the transformed x and dy: one product for each of the three rows. */
export function winogradConv3x3Kernel(b: Builder, x: Value, dy: Value): Value {
  const [batch, inputs, height, width] = x.shape as Maps;
  const outputs = dy.shape[1]!;
  const tiles = width / TILE;
  const transformedX = scatterTiles(b, x, 'input');
  const transformedDy = scatterTiles(b, dy, 'output');
  const rows = (v: Value, channels: number, shift: number) => {
    const flat = b.reshape(v, [batch * PRODUCTS * channels, height * tiles]);
    const shifted = shift === 0 ? flat : b.pad(flat, [0, shift * tiles], [0, -shift * tiles]);
    return b.reshape(shifted, [batch, PRODUCTS, channels, height * tiles]);
  };
  const taps = [-1, 0, 1].map((shift) => {
    // The smaller operand is the one to shift.
    const left = rows(transformedDy, outputs, outputs <= inputs ? shift : 0);
    const right = rows(transformedX, inputs, outputs <= inputs ? 0 : -shift);
    const product = b.sum(b.matMul(left, right, { transposeB: true }), [0]);
    return b.reshape(product, [PRODUCTS, 1, outputs * inputs]);
  });
  const stacked = b.reshape(b.concat(taps, 1), [PRODUCTS * 3, outputs * inputs]);
  return b.reshape(b.matMul(transposedFilterMatrix(b), stacked), [9, outputs, inputs]);
}

/** [B,C,H,W] -> [B,6C,H,W/4], product-major: each row times a banded matrix a product. */
function scatterTiles(b: Builder, x: Value, transform: 'input' | 'output'): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const tiles = width / TILE;
  const matrix = new Float32Array(PRODUCTS * width * tiles);
  for (let product = 0; product < PRODUCTS; product++)
    for (let tile = 0; tile < tiles; tile++)
      tapsOf(transform, product).forEach((coefficient, k) => {
        const column = TILE * tile + k - (transform === 'input' ? 1 : 0);
        if (column >= 0 && column < width) matrix[(product * width + column) * tiles + tile] = coefficient;
      });
  const rows = b.reshape(x, [batch, 1, channels * height, width]);
  const products = b.matMul(rows, b.floats(matrix, [PRODUCTS, width, tiles]));
  return b.reshape(products, [batch, PRODUCTS * channels, height, tiles]);
}

/** [B,6C,H,W/4] -> [B,C,H,W]: the transpose of the scattering, as a transposed convolution with a stride of a tile. */
function gatherTiles(b: Builder, products: Value, channels: number, transform: 'input' | 'output'): Value {
  const [batch, , height, tiles] = products.shape as Maps;
  const taps = Array.from({ length: PRODUCTS }, (_, product) => tapsOf(transform, product));
  const kernel = b.floats(Float32Array.from(taps.flat()), [PRODUCTS, 1, 1, taps[0]!.length]);
  const rows = b.reshape(products, [batch, PRODUCTS, channels * height, tiles]);
  const pads = transform === 'input' ? ([0, 1, 0, 1] as const) : ([0, 0, 0, 0] as const);
  const y = b.convTranspose(rows, kernel, { pads, strides: [1, TILE] });
  return b.reshape(y, [batch, channels, height, TILE * tiles]);
}

function tapsOf(transform: 'input' | 'output', product: number): readonly number[] {
  return transform === 'input' ? INPUT[product]! : OUTPUT.map((row) => row[product]!);
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
