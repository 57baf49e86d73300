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

/** In few passes: with 3 u at hand, s, 1 - s and q = 3 u - 2 LINEAR x are one each. */
function blockedInput(b: Builder, dy: Value, x: Value): Value {
  const [batch, channels] = x.shape as [number, number];
  const all = (number: number) =>
    b.floats(new Float32Array(batch * channels).fill(number), [batch * channels]);
  const three = b.mul(x, channelAffine(b, b.mul(x, x), all(3 * CUBIC), all(3 * LINEAR)));
  const s = channelAffine(b, three, all(1 / 3), all(0), { activation: 'Sigmoid' });
  const rest = channelAffine(b, three, all(-1 / 3), all(0), { activation: 'Sigmoid' });
  const q = channelAffine(b, x, all(-2 * LINEAR), all(0), { plus: three });
  const ds = b.mul(dy, s);
  return b.add(ds, b.mul(ds, b.mul(rest, q)));
}

/** x (linear + cubic x^2) */
function polynomial(b: Builder, x: Value, linear: number, cubic: number): Value {
  return b.mul(x, b.add(b.mul(b.mul(x, x), b.scalar(cubic)), b.scalar(linear)));
}
