import type { Builder, ConvOptions } from '../builder.js';
import { BLOCKED_DOMAIN } from '../layouts.js';
import type { Value } from '../graph.js';

// Operations on blocked maps (see layouts.ts).

/** Whether maps of all these channels can be blocked. */
export function canBlock(b: Builder, ...channels: readonly number[]): boolean {
  const { channelBlock } = b.forms;
  return channelBlock > 1 && channels.every((count) => count % channelBlock === 0);
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
  const { bias, pads = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1], groups = 1 } = options;
  const k = b.forms.channelBlock;
  const outputs = filter.shape[0]! * k;
  const kernel = b.reshape(filter, [outputs, x.shape[1]! / groups, ...size]);
  const shape = b.convShape(x, kernel, options);
  const attributes = { kernel_shape: size, pads, strides, dilations, group: groups };
  return b.op(`${BLOCKED_DOMAIN}:Conv`, bias ? [x, kernel, bias] : [x, kernel], shape, attributes);
}

export interface DepthwiseOptions extends ConvOptions {
  /** Blocked maps that the outputs are added to; takes a bias. */
  readonly sum?: Value;
  /** What is done to the result. */
  readonly activation?: 'Sigmoid';
}

/** A convolution of each channel of x, blocked, with its own filter: filters are blocked [C,1,kh,kw]. */
export function depthwise(b: Builder, x: Value, filters: Value, options: DepthwiseOptions = {}): Value {
  const { bias, sum, activation, pads = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] } = options;
  const [channels, , tall, wide] = filters.shape as [number, number, number, number];
  const shape = b.convShape(x, filters, options);
  const attributes = {
    kernel_shape: [tall, wide],
    pads,
    strides,
    dilations,
    group: channels,
    ...(activation ? { activation } : {}),
  };
  const inputs = [x, filters, ...(bias ? [bias] : []), ...(sum ? [sum] : [])];
  return b.op(`${BLOCKED_DOMAIN}:Conv`, inputs, shape, attributes);
}

/** The same taps for so many channels, of a given size: filters for the above. */
export function sameTaps(
  b: Builder,
  channels: number,
  taps: readonly number[],
  size: readonly [number, number],
): Value {
  const k = b.forms.channelBlock;
  const column = b.floats(Float32Array.from(taps), [1, taps.length, 1]);
  return b.reshape(b.expand(column, [channels / k, taps.length, k]), [channels, 1, ...size]);
}

/**
 * Matrix products of blocked x [B,g*C,H,W] and blocked y [B,g*O,H,W] over the locations, those of one of them shifted
 * by a distance: [B*g,C/k,O,k]. A blocked map is laid out as the filter of a convolution whose input channels are its
 * locations.
 */
export function blockedProduct(
  b: Builder,
  x: Value,
  y: Value,
  groups: number,
  shifts: { readonly x?: number; readonly y?: number } = {},
): Value {
  const k = b.forms.channelBlock;
  const [channels, outputs] = [x, y].map((v) => (v.shape[0]! * v.shape[1]!) / groups) as [number, number];
  const filter = shiftLocations(b, x, shifts.x ?? 0);
  const locations = y.shape[2]! * y.shape[3]!;
  // Reorderings take locations by fours.
  const byChannel =
    shifts.y || locations % 4 !== 0
      ? shiftLocations(b, y, shifts.y ?? 0)
      : b.reshape(y, [(groups * outputs) / k, locations, 1, k]);
  const padded = filter.shape[1]!;
  const input = b.reshape(byLocation(b, byChannel, groups, padded), [1, groups * padded, 1, outputs]);
  const product = blockedConv(b, input, filter, [1, 1], { groups });
  return b.reshape(product, [groups, channels / k, outputs, k]);
}

/** Blocked maps [B,C,H,W] -> [B*C/k,n,1,k]: locations n, a multiple of k, shifted, zeros elsewhere. */
function shiftLocations(b: Builder, x: Value, shift: number): Value {
  const k = b.forms.channelBlock;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const locations = height * width;
  const padded = Math.ceil(locations / k) * k;
  const rows = (batch * channels) / k;
  const flat = b.reshape(x, [rows, locations * k]);
  const [before, after] = [shift * k, (padded - locations - shift) * k];
  const shifted = before === 0 && after === 0 ? flat : b.pad(flat, [0, before], [0, after]);
  return b.reshape(shifted, [rows, padded, 1, k]);
}

/** Maps [B*g*O/k,m,1,k] as above -> [B*g,n/k,O,k]: their locations, followed by zeros up to n, as channels. */
function byLocation(b: Builder, y: Value, groups: number, padded: number): Value {
  const k = b.forms.channelBlock;
  const rows = y.shape[0]!;
  // Each block of channels is a map of its own here: as many channels as there are locations, and k locations.
  const exchanged = b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [y], [rows, padded, 1, k]);
  const apart = b.reshape(exchanged, [groups, rows / groups, padded / k, k * k]);
  return b.transpose(apart, [0, 2, 1, 3]);
}
