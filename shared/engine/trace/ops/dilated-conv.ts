import type { Builder, ConvOptions } from '../builder.js';
import type { Value } from '../graph.js';
import { blockedConv, blockedFilter, blockedProduct, canBlock } from './blocked.js';

/** Where the taps of a convolution of width 3 lie. */
export interface Taps {
  /** Distance of neighbours. */
  readonly dilation: number;
  /** Samples before an output's own that the first tap reads. */
  readonly reach: number;
}

/** The taps centred on the output's own sample, or, `causal`, the last of them there. */
export function tapsOf(dilation: number, causal: boolean): Taps {
  return { dilation, reach: causal ? 2 * dilation : dilation };
}

/** x [B,C,1,L], kernel [3,O,C], bias [O] -> [B,O,1,L] */
export function dilatedConv(b: Builder, x: Value, kernel: Value, bias: Value, taps: Taps): Value {
  return convolve(b, x, b.transpose(kernel, [0, 2, 1]), taps, bias);
}

/** The gradient of x, from dy [B,O,1,L]: the same convolution turned around. */
export function dilatedConvInput(b: Builder, dy: Value, kernel: Value, { dilation, reach }: Taps): Value {
  const turned = b.gather(kernel, b.ints([2, 1, 0]));
  return convolve(b, dy, turned, { dilation, reach: 2 * dilation - reach });
}

/** The gradient of the kernel: products over the samples of dy and what each tap reads of x. */
export function dilatedConvKernel(b: Builder, x: Value, dy: Value, { dilation, reach }: Taps): Value {
  const [batch, inputs, , length] = x.shape as [number, number, number, number];
  const outputs = dy.shape[1]!;
  const delays = [0, 1, 2].map((tap) => reach - tap * dilation);
  if (!canBlock(b, inputs, outputs)) {
    const flat = (v: Value) => b.reshape(v, [batch, v.shape[1]!, length]);
    const read = b.concat(
      delays.map((delay) => delayed(b, flat(x), delay)),
      1,
    );
    const products = b.sum(b.matMul(flat(dy), read, { transposeB: true }), [0]);
    return b.transpose(b.reshape(products, [outputs, 3, inputs]), [1, 0, 2]);
  }
  const k = b.forms.channelBlock;
  const [blockedX, blockedDy] = [x, dy].map((v) => b.layouts.toBlocked(v)) as [Value, Value];
  const products = delays.map((delay) =>
    Math.abs(delay) < length
      ? b.sum(blockedProduct(b, blockedX, blockedDy, batch, { x: delay }), [0])
      : b.filled([inputs / k, outputs, k]),
  );
  const ordered = b.transpose(b.reshape(b.concat(products, 0), [3, inputs / k, outputs, k]), [0, 2, 1, 3]);
  return b.reshape(ordered, [3, outputs, inputs]);
}

/** x [B,C,1,L] by taps [3,C,O] */
function convolve(b: Builder, x: Value, kernel: Value, { dilation, reach }: Taps, bias?: Value): Value {
  const [, inputs, outputs] = kernel.shape as [number, number, number];
  const options: ConvOptions = {
    ...(bias ? { bias } : {}),
    pads: [0, reach, 0, 2 * dilation - reach],
    dilations: [1, dilation],
  };
  if (!canBlock(b, inputs, outputs)) {
    const last = b.reshape(b.transpose(kernel, [2, 1, 0]), [outputs, inputs, 1, 3]);
    return b.conv(x, last, options);
  }
  const filter = blockedFilter(b, b.reshape(kernel, [1, ...kernel.shape]));
  return b.layouts.fromBlocked(blockedConv(b, b.layouts.toBlocked(x), filter, [1, 3], options));
}

/** y[.., l] = x[.., l - delay], zeros outside. */
function delayed(b: Builder, x: Value, delay: number): Value {
  const length = x.shape[2]!;
  if (delay === 0) return x;
  if (Math.abs(delay) >= length) return b.filled(x.shape);
  return b.pad(x, [0, 0, delay], [0, 0, -delay]);
}
