import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { channelAffine, channelDots, channelSums, groupMeans, groupMultiple } from './channels.js';
import { swishOf, swishInput } from './pointwise.js';

const EPSILON = 1e-6;

type Maps = [batch: number, channels: number, height: number, width: number];

/** x [B,C,H,W], scale [C], bias [C] */
export function groupNorm(
  b: Builder,
  x: Value,
  scale: Value,
  bias: Value,
  groups: number,
  swish: boolean,
): Value {
  const normal = channelAffine(b, x, ...coefficients(b, x, scale, bias, groups));
  return swish ? swishOf(b, normal) : normal;
}

/**
 * The gradients of x, scale and bias. With z = scale * xhat + bias and sums over a group's N elements,
 * dx = rstd * (scale * dz - mean(scale * dz) - xhat * mean(scale * dz * xhat)), which is an affine map of dz for
 * each channel plus a multiple of x for each group.
 */
export function groupNormGradients(
  b: Builder,
  dy: Value,
  x: Value,
  scale: Value,
  bias: Value,
  groups: number,
  swish: boolean,
): [Value, Value, Value] {
  const [batch, channels, height, width] = x.shape as Maps;
  const perGroup = channels / groups;
  const perChannel = [batch, groups, perGroup];
  const { mean, rstd } = moments(b, x, groups);
  const { dz, sign } = swish
    ? beforeSwish(b, dy, x, coefficients(b, x, scale, bias, groups))
    : { dz: dy, sign: 1 };
  const signed = (v: Value) => b.mul(v, b.scalar(sign));
  const sumDz = signed(b.reshape(channelSums(b, dz), perChannel));
  const sumDzX = signed(b.reshape(channelDots(b, dz, x), perChannel));
  const sumDzNormal = b.mul(b.sub(sumDzX, b.mul(sumDz, mean)), rstd);

  const scales = b.reshape(scale, [1, groups, perGroup]);
  const perElement = b.scalar(1 / (perGroup * height * width));
  const meanOf = (v: Value) => b.mul(b.sum(b.mul(v, scales), [2], true), perElement);
  const ofX = b.unary('Neg', b.mul(b.mul(rstd, rstd), meanOf(sumDzNormal)));
  const constant = b.unary('Neg', b.add(b.mul(rstd, meanOf(sumDz)), b.mul(ofX, mean)));
  const flat = (v: Value) => b.reshape(b.expand(v, perChannel), [batch * channels]);
  return [
    channelAffine(b, dz, flat(signed(b.mul(rstd, scales))), flat(constant), {
      plus: groupMultiple(b, x, ofX),
    }),
    b.reshape(b.sum(sumDzNormal, [0]), [channels]),
    b.reshape(b.sum(sumDz, [0]), [channels]),
  ];
}

/** The factor and offset [B*C] of scale * (x - mean) * rstd + bias. */
function coefficients(b: Builder, x: Value, scale: Value, bias: Value, groups: number): [Value, Value] {
  const perGroup = scale.shape[0]! / groups;
  const { mean, rstd } = moments(b, x, groups);
  const factor = b.mul(rstd, b.reshape(scale, [1, groups, perGroup]));
  const offset = b.sub(b.reshape(bias, [1, groups, perGroup]), b.mul(factor, mean));
  const flat = (v: Value) => b.reshape(v, [x.shape[0]! * x.shape[1]!]);
  return [flat(factor), flat(offset)];
}

/**
 * The gradient of z = factor * x + offset from that of y = swish(z), or that times -1. With s = sigmoid(z) it is
 * dy * s * (1 + z - y); in blocked layout s and y - z - 1 are each one pass over x.
 */
function beforeSwish(
  b: Builder,
  dy: Value,
  x: Value,
  [factor, offset]: [Value, Value],
): { dz: Value; sign: number } {
  const z = channelAffine(b, x, factor, offset);
  if (!b.layouts.knownBlocked(z)) return { dz: swishInput(b, dy, z), sign: 1 };
  const s = channelAffine(b, x, factor, offset, { activation: 'Sigmoid' });
  const minus = (v: Value) => b.unary('Neg', v);
  const rest = channelAffine(b, x, minus(factor), minus(b.add(offset, b.scalar(1))), { plus: swishOf(b, z) });
  return { dz: b.mul(b.mul(dy, s), rest), sign: -1 };
}

/** Mean and 1 / standard deviation of each group, [B,G,1], by E[x^2] - E[x]^2. */
function moments(b: Builder, x: Value, groups: number): { mean: Value; rstd: Value } {
  const [batch, channels, height, width] = x.shape as Maps;
  const perGroup = channels / groups;
  const size = perGroup * height * width;
  const mean = groupMeans(b, x, groups);
  const squares = b.sum(b.reshape(channelDots(b, x, x), [batch, groups, perGroup]), [2], true);
  const square = b.mul(squares, b.scalar(1 / size));
  const variance = b.elementwise('Max', b.sub(square, b.mul(mean, mean)), b.scalar(0));
  const deviation = b.unary('Sqrt', b.add(variance, b.scalar(EPSILON)));
  return { mean, rstd: b.unary('Reciprocal', deviation) };
}
