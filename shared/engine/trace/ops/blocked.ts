import type { Builder, ConvOptions } from '../builder.js';
import type { Value } from '../graph.js';

// ONNX Runtime's own layout for convolutions on CPUs (MLAS): [B,C/k,H,W,k], k channels side by side, as many as a
// vector register holds. Its kernels there reach half as much again as its convolutions of plain maps. A blocked value
// here keeps the shape [B,C,H,W]; only the order of its elements differs.

export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/** Whether maps of all these channels can be blocked. */
export function canBlock(b: Builder, ...channels: readonly number[]): boolean {
  const { channelBlock } = b.forms;
  return channelBlock > 1 && channels.every((count) => count % channelBlock === 0);
}

/** Plain maps [B,C,H,W] to blocked ones. */
export function toBlocked(b: Builder, x: Value): Value {
  return b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [x], x.shape);
}

/** Blocked maps [B,C,H,W] to plain ones. */
export function fromBlocked(b: Builder, x: Value): Value {
  return b.op(`${BLOCKED_DOMAIN}:ReorderOutput`, [x], x.shape, { channels: x.shape[1]! });
}

/**
 * Taps [g,n,C,O] (g groups, n the size of the filter) to the filters of a blocked convolution from g*C to g*O
 * channels: [g*O/k,C/k,n,k,k], output channels last.
 */
export function blockedFilter(b: Builder, taps: Value): Value {
  const k = b.forms.channelBlock;
  const [groups, numTaps, inputs, outputs] = taps.shape as [number, number, number, number];
  const separated = b.reshape(taps, [groups, numTaps, inputs / k, k, outputs / k, k]);
  const ordered = b.transpose(separated, [0, 4, 2, 1, 3, 5]);
  return b.reshape(ordered, [(groups * outputs) / k, inputs / k, numTaps, k, k]);
}

/** x blocked [B,C,H,W], filter as above of `size` taps -> blocked [B,O,H',W'] */
export function blockedConv(
  b: Builder,
  x: Value,
  filter: Value,
  size: readonly [number, number],
  options: ConvOptions,
): Value {
  const { bias, pads = [0, 0, 0, 0], strides = [1, 1], groups = 1 } = options;
  const k = b.forms.channelBlock;
  const outputs = filter.shape[0]! * k;
  const kernel = b.reshape(filter, [outputs, x.shape[1]! / groups, ...size]);
  const shape = b.convShape(x, kernel, options);
  const attributes = { kernel_shape: size, pads, strides, dilations: [1, 1], group: groups };
  return b.op(`${BLOCKED_DOMAIN}:Conv`, bias ? [x, kernel, bias] : [x, kernel], shape, attributes);
}
