import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

// GELU by tanh is x s with s = sigmoid(x w) and w = 2 sqrt(2 / pi) (1 + 0.044715 x^2).

const FACTOR = 2 * Math.sqrt(2 / Math.PI);

export function gelu(b: Builder, x: Value): Value {
  if (b.forms.device === 'cpu') return b.unary('com.microsoft:FastGelu', x);
  return b.mul(x, b.unary('Sigmoid', b.mul(x, innerFactor(b, x))));
}

/** The gradient of x: dy (s + y (1 - s) (3 w - 2 FACTOR)), for x w has the derivative 3 w - 2 FACTOR. */
export function geluInput(b: Builder, dy: Value, x: Value): Value {
  const w = innerFactor(b, x);
  const s = b.unary('Sigmoid', b.mul(x, w));
  const slope = b.sub(b.mul(w, b.scalar(3)), b.scalar(2 * FACTOR));
  const y = b.mul(x, s);
  return b.mul(dy, b.add(s, b.mul(b.sub(y, b.mul(y, s)), slope)));
}

function innerFactor(b: Builder, x: Value): Value {
  return b.add(b.mul(b.mul(x, x), b.scalar(0.044715 * FACTOR)), b.scalar(FACTOR));
}
