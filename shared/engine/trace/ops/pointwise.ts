import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

/** x * sigmoid(x) */
export function swishOf(b: Builder, x: Value): Value {
  if (b.layouts.knownBlocked(x)) return b.unary('com.microsoft:QuickGelu', x, { alpha: { float: 1 } });
  return b.mul(x, b.unary('Sigmoid', x));
}

/** The gradient of x: with s = sigmoid(x) and y = x s, dy * (s + y - s y). */
export function swishInput(b: Builder, dy: Value, x: Value): Value {
  const s = b.unary('Sigmoid', x);
  const y = swishOf(b, x);
  return b.mul(dy, b.add(y, b.sub(s, b.mul(s, y))));
}

/** tanh(x) * sigmoid(y) */
export function gate(b: Builder, x: Value, y: Value): Value {
  return b.mul(b.unary('Tanh', x), b.unary('Sigmoid', y));
}

/** The gradients of x and y: with t = tanh(x), s = sigmoid(y) and g = t s, dg * (s - t g) and dg * (g - s g). */
export function gateInputs(b: Builder, dg: Value, x: Value, y: Value): [Value, Value] {
  const [t, s] = [b.unary('Tanh', x), b.unary('Sigmoid', y)];
  const g = gate(b, x, y);
  return [b.mul(dg, b.sub(s, b.mul(t, g))), b.mul(dg, b.sub(g, b.mul(s, g)))];
}

/** What dropout multiplies by: 1 / keep where the mask (uint8) is 1, else 0. */
export function keptFactors(b: Builder, mask: Value, keep: number): Value {
  return b.mul(b.cast(mask, 'float32'), b.scalar(1 / keep));
}

/** x where the mask (uint8) is 1, scaled by 1 / keep. It is its own gradient. */
export function dropout(b: Builder, x: Value, mask: Value, keep: number): Value {
  const factors = keptFactors(b, mask, keep);
  // One map reordered for both passes, instead of x and the result in each.
  if (b.layouts.knownBlocked(x)) b.layouts.toBlocked(factors);
  return b.mul(x, factors);
}
