import type { Builder } from '../builder.js';
import { BLOCKED_DOMAIN } from '../layouts.js';
import type { Value } from '../graph.js';
import { canBlock, depthwise } from './blocked.js';

// Passes over maps x [B,C,H,W] with numbers for each example's each channel, [B*C]. In blocked layout the examples'
// channels are those of one long map, and each pass is a convolution of every channel for itself.

type Maps = [batch: number, channels: number, height: number, width: number];

/** The mean of each channel, [B*C]. */
export function channelMeans(b: Builder, x: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = batch * channels;
  if (!canBlock(b, channels)) return b.reduce('ReduceMean', b.reshape(x, [rows, height * width]), [1]);
  const means = b.op(
    `${BLOCKED_DOMAIN}:GlobalAveragePool`,
    [b.layouts.toBlocked(x)],
    [batch, channels, 1, 1],
  );
  return b.reshape(means, [rows]);
}

/** The mean of each group of channels, [B,G,1]. */
export function groupMeans(b: Builder, x: Value, groups: number): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const perGroup = channels / groups;
  const rows = canBlock(b, channels)
    ? b.reshape(channelMeans(b, x), [batch, groups, perGroup])
    : b.reshape(x, [batch, groups, perGroup * height * width]);
  return b.reduce('ReduceMean', rows, [2], true);
}

/** The sum of each channel, [B*C]. */
export function channelSums(b: Builder, x: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  if (!canBlock(b, channels)) return b.sum(b.reshape(x, [batch * channels, height * width]), [1]);
  return b.mul(channelMeans(b, x), b.scalar(height * width));
}

/** The sum of x * y over each channel, [B*C]. */
export function channelDots(b: Builder, x: Value, y: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = batch * channels;
  if (!canBlock(b, channels)) {
    const flat = (v: Value) => b.reshape(v, [rows, 1, height * width]);
    return b.reshape(b.matMul(flat(x), flat(y), { transposeB: true }), [rows]);
  }
  // A blocked map is laid out as the filters that cover one.
  const filters = b.reshape(b.layouts.toBlocked(y), [rows, 1, height, width]);
  return b.reshape(depthwise(b, asOneMap(b, b.layouts.toBlocked(x)), filters), [rows]);
}

/** x times a number for each group, [B,G,1]. */
export function groupMultiple(b: Builder, x: Value, factor: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const groups = factor.shape[1]!;
  const perGroup = channels / groups;
  if (!canBlock(b, channels))
    return b.reshape(b.mul(b.reshape(x, [batch, groups, perGroup * height * width]), factor), x.shape);
  const factors = b.reshape(b.expand(factor, [batch, groups, perGroup]), [batch * channels, 1, 1, 1]);
  const y = depthwise(b, asOneMap(b, b.layouts.toBlocked(x)), factors);
  return b.layouts.fromBlocked(b.reshape(y, x.shape));
}

interface AffineOptions {
  /** Maps to add. */
  readonly plus?: Value;
  /** What is done to the result. */
  readonly activation?: 'Sigmoid';
}

/** x * factor + offset, factor and offset [B*C]. */
export function channelAffine(
  b: Builder,
  x: Value,
  factor: Value,
  offset: Value,
  { plus, activation }: AffineOptions = {},
): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = batch * channels;
  if (canBlock(b, channels)) {
    const y = depthwise(b, asOneMap(b, b.layouts.toBlocked(x)), b.reshape(factor, [rows, 1, 1, 1]), {
      bias: offset,
      ...(plus ? { sum: asOneMap(b, b.layouts.toBlocked(plus)) } : {}),
      ...(activation ? { activation } : {}),
    });
    return b.layouts.fromBlocked(b.reshape(y, x.shape));
  }
  const inputs = [
    b.reshape(x, [1, rows, height, width]),
    factor,
    offset,
    b.floats(new Float32Array(rows), [rows]),
    b.floats(new Float32Array(rows).fill(1), [rows]),
  ];
  const normal = b.op('BatchNormalization', inputs, [1, rows, height, width], { epsilon: { float: 0 } });
  const y = b.reshape(normal, x.shape);
  const sum = plus ? b.add(y, plus) : y;
  return activation ? b.unary(activation, sum) : sum;
}

/** Blocked [B,C,H,W] as blocked [1,B*C,H,W]. */
function asOneMap(b: Builder, x: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  return b.reshape(x, [1, batch * channels, height, width]);
}
