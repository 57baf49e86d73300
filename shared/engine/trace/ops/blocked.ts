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

/** A convolution of each channel of x, blocked, with the same taps of a given size. */
export function depthwise(
  b: Builder,
  x: Value,
  taps: readonly number[],
  size: readonly [number, number],
  options: ConvOptions,
): Value {
  const k = b.forms.channelBlock;
  const channels = x.shape[1]!;
  const column = b.floats(Float32Array.from(taps), [1, taps.length, 1]);
  const kernel = b.reshape(b.expand(column, [channels / k, taps.length, k]), [channels, 1, ...size]);
  const { pads = [0, 0, 0, 0], strides = [1, 1] } = options;
  const shape = b.convShape(x, kernel, options);
  const attributes = { kernel_shape: size, pads, strides, dilations: [1, 1], group: channels };
  return b.op(`${BLOCKED_DOMAIN}:Conv`, [x, kernel], shape, attributes);
}

/**
 * Matrix products of blocked x [B,g*C,H,W], its locations shifted by a distance, and plain y [B*g,O,H*W], over the
 * locations: [B*g,C/k,O,k]. A blocked map is laid out as the filter of a convolution whose input channels are its locations.
 */
export function blockedProduct(b: Builder, x: Value, y: Value, shift: number): Value {
  const k = b.forms.channelBlock;
  const [groups, outputs, locations] = y.shape as [number, number, number];
  const channels = x.shape.reduce((a, c) => a * c, 1) / (groups * locations);
  const padded = Math.ceil(locations / k) * k;
  const flat = b.reshape(x, [(groups * channels) / k, locations * k]);
  const before = shift * k;
  const after = (padded - locations - shift) * k;
  const shifted = before === 0 && after === 0 ? flat : b.pad(flat, [0, before], [0, after]);
  const filter = b.reshape(shifted, [groups * channels, padded, 1, 1]);
  const byLocation = b.op(
    `${BLOCKED_DOMAIN}:ReorderInput`,
    [b.reshape(y, [groups, 1, outputs, locations])],
    [groups, padded, 1, outputs],
    { channels_last: 1 },
  );
  const input = b.reshape(byLocation, [1, groups * padded, 1, outputs]);
  const attributes = {
    kernel_shape: [1, 1],
    pads: [0, 0, 0, 0],
    strides: [1, 1],
    dilations: [1, 1],
    group: groups,
  };
  const product = b.op(
    `${BLOCKED_DOMAIN}:Conv`,
    [input, filter],
    [1, groups * channels, 1, outputs],
    attributes,
  );
  return b.reshape(product, [groups, channels / k, outputs, k]);
}
