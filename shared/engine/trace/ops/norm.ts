import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
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
  const normal = affine(b, x, scale, bias, groups);
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
  const dz = swish ? swishInput(b, dy, affine(b, x, scale, bias, groups)) : dy;
  const sumDz = b.reshape(b.sum(b.reshape(dz, [batch * channels, height * width]), [1]), perChannel);
  const sumDzX = b.reshape(rowDots(b, dz, x), perChannel);
  const sumDzNormal = b.mul(b.sub(sumDzX, b.mul(sumDz, mean)), rstd);

  const scales = b.reshape(scale, [1, groups, perGroup]);
  const perElement = b.scalar(1 / (perGroup * height * width));
  const meanOf = (v: Value) => b.mul(b.sum(b.mul(v, scales), [2], true), perElement);
  const ofX = b.unary('Neg', b.mul(b.mul(rstd, rstd), meanOf(sumDzNormal)));
  const constant = b.unary('Neg', b.add(b.mul(rstd, meanOf(sumDz)), b.mul(ofX, mean)));
  const ofDz = affineOfChannels(b, dz, b.mul(rstd, scales), b.expand(constant, perChannel));
  const grouped = b.mul(b.reshape(x, [batch, groups, perGroup * height * width]), ofX);
  return [
    b.add(ofDz, b.reshape(grouped, x.shape)),
    b.reshape(b.sum(sumDzNormal, [0]), [channels]),
    b.reshape(b.sum(sumDz, [0]), [channels]),
  ];
}

/** scale * (x - mean) * rstd + bias */
function affine(b: Builder, x: Value, scale: Value, bias: Value, groups: number): Value {
  const perGroup = scale.shape[0]! / groups;
  const { mean, rstd } = moments(b, x, groups);
  const factor = b.mul(rstd, b.reshape(scale, [1, groups, perGroup]));
  const offset = b.sub(b.reshape(bias, [1, groups, perGroup]), b.mul(factor, mean));
  return affineOfChannels(b, x, factor, offset);
}

/** Mean and 1 / standard deviation of each group, [B,G,1], by E[x^2] - E[x]^2. */
function moments(b: Builder, x: Value, groups: number): { mean: Value; rstd: Value } {
  const [batch, channels, height, width] = x.shape as Maps;
  const perGroup = channels / groups;
  const size = perGroup * height * width;
  const mean = b.reduce('ReduceMean', b.reshape(x, [batch, groups, size]), [2], true);
  const squares = b.sum(b.reshape(rowDots(b, x, x), [batch, groups, perGroup]), [2], true);
  const square = b.mul(squares, b.scalar(1 / size));
  const variance = b.elementwise('Max', b.sub(square, b.mul(mean, mean)), b.scalar(0));
  const deviation = b.unary('Sqrt', b.add(variance, b.scalar(EPSILON)));
  return { mean, rstd: b.unary('Reciprocal', deviation) };
}

/** The sum of x * y over each channel, [B*C,1,1], in one pass. */
function rowDots(b: Builder, x: Value, y: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = (v: Value) => b.reshape(v, [batch * channels, 1, height * width]);
  return b.matMul(rows(x), rows(y), { transposeB: true });
}

/** x * factor + offset for each example's each channel, factor and offset [B,G,C/G], in one pass. */
function affineOfChannels(b: Builder, x: Value, factor: Value, offset: Value): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  const rows = batch * channels;
  const inputs = [
    b.reshape(x, [1, rows, height, width]),
    b.reshape(factor, [rows]),
    b.reshape(offset, [rows]),
    b.floats(new Float32Array(rows), [rows]),
    b.floats(new Float32Array(rows).fill(1), [rows]),
  ];
  const y = b.op('BatchNormalization', inputs, [1, rows, height, width], { epsilon: { float: 0 } });
  return b.reshape(y, x.shape);
}
