import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { channelAffine } from './channels.js';

// GELU by tanh is x s, with s the sigmoid of u = x (LINEAR + CUBIC x^2); its derivative is s + s (1 - s) q, with q = x u'.

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

export function gelu(b: Builder, x: Value): Value {
  if (b.forms.device === 'cpu') return b.unary('com.microsoft:FastGelu', x);
  return b.mul(x, b.unary('Sigmoid', polynomial(b, x, LINEAR, CUBIC)));
}

/** The gradient of x. */
export function geluInput(b: Builder, dy: Value, x: Value): Value {
  if (b.layouts.knownBlocked(x)) return blockedInput(b, dy, x);
  const s = b.unary('Sigmoid', polynomial(b, x, LINEAR, CUBIC));
  const q = polynomial(b, x, LINEAR, 3 * CUBIC);
  const sq = b.mul(s, q);
  return b.mul(dy, b.add(s, b.sub(sq, b.mul(s, sq))));
}

/**
 * In few passes. With v = -3 u at hand, and 1 - s the sigmoid of v / 3, the derivative is 1 - (1 - s) (1 - s q), where s q = 3 u s -
 * 2 LINEAR x s.
 */
function blockedInput(b: Builder, dy: Value, x: Value): Value {
  const [batch, channels] = x.shape as [number, number];
  const all = (number: number) =>
    b.floats(new Float32Array(batch * channels).fill(number), [batch * channels]);
  const v = b.mul(x, channelAffine(b, b.mul(x, x), all(-3 * CUBIC), all(-3 * LINEAR)));
  const plus = b.unary('com.microsoft:QuickGelu', v, { alpha: { float: -1 / 3 } });
  const left = channelAffine(b, gelu(b, x), all(2 * LINEAR), all(1), { plus });
  const rest = channelAffine(b, v, all(1 / 3), all(0), { activation: 'Sigmoid' });
  return b.mul(dy, channelAffine(b, b.mul(rest, left), all(-1), all(1)));
}

/** x (linear + cubic x^2) */
function polynomial(b: Builder, x: Value, linear: number, cubic: number): Value {
  return b.mul(x, b.add(b.mul(b.mul(x, x), b.scalar(cubic)), b.scalar(linear)));
}
