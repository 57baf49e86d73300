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

/** x where the mask (uint8) is 1, scaled by 1 / keep. It is its own gradient. */
export function dropout(b: Builder, x: Value, mask: Value, keep: number): Value {
  const factors = b.mul(b.cast(mask, 'float32'), b.scalar(1 / keep));
  // One map reordered for both passes, instead of x and the result in each.
  if (b.layouts.knownBlocked(x)) b.layouts.toBlocked(factors);
  return b.mul(x, factors);
}
