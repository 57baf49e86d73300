import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

const EPSILON = 1e-6;

/** x [B,C,H,W] less its mean over the channels, over its deviation, at each location. */
export function normalize(b: Builder, x: Value): Value {
  return b.mul(centred(b, x), inverseDeviation(b, x));
}

/** The gradient of x: with y normal, (dy - mean of dy - y * mean of dy * y) over the deviation. */
export function normalizeInput(b: Builder, dy: Value, x: Value): Value {
  const y = normalize(b, x);
  const along = b.mul(y, mean(b, b.mul(dy, y)));
  return b.mul(b.sub(b.sub(dy, mean(b, dy)), along), inverseDeviation(b, x));
}

function centred(b: Builder, x: Value): Value {
  return b.sub(x, mean(b, x));
}

function inverseDeviation(b: Builder, x: Value): Value {
  const difference = centred(b, x);
  const variance = mean(b, b.mul(difference, difference));
  return b.unary('Reciprocal', b.unary('Sqrt', b.add(variance, b.scalar(EPSILON))));
}

function mean(b: Builder, x: Value): Value {
  return b.reduce('ReduceMean', x, [1], true);
}
