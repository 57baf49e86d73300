/*
 * Elementary functions by + - * and / of float64 alone, which IEEE 754 defines to the last bit: the same numbers on every
 * machine. Math.exp, sin and cos differ between JavaScript engines and their versions.
 */

/** 2^(i/16), rounded to nearest. */
const ROOTS = Float64Array.of(
  1,
  1.0442737824274138,
  1.0905077326652577,
  1.1387886347566916,
  1.189207115002721,
  1.241857812073484,
  1.2968395546510096,
  1.3542555469368927,
  1.4142135623730951,
  1.4768261459394993,
  1.5422108254079407,
  1.6104903319492543,
  1.681792830507429,
  1.7562521603732995,
  1.8340080864093424,
  1.9152065613971474,
  2,
);
/** ln(2)/16 in two parts: products of the first, of 36 bits, with integers below 2^15 are exact. */
const STEP_HIGH = 0.04332169878489367;
const STEP_LOW = 1.0291218489310676e-13;
const STEPS_PER_UNIT = 23.083120654223414;
const LEAST_POWER = -1022;
/** 2^k from k = LEAST_POWER to 1023. */
const POWERS = new Float64Array(1024 - LEAST_POWER).fill(1);
for (let k = 1; k < 1024; k++) POWERS[k - LEAST_POWER] = 2 * POWERS[k - 1 - LEAST_POWER]!;
for (let k = -1; k >= LEAST_POWER; k--) POWERS[k - LEAST_POWER] = POWERS[k + 1 - LEAST_POWER]! / 2;

/**
 * e^x within 1.1 units in the last place, 0 below -708. Never falls where x rises, and is 1 at 0.
 *
 * With x = (16 k + i) ln(2)/16 + r and r >= 0, e^x = 2^k 2^(i/16) e^r. All terms of e^r are positive, so that rounding keeps
 * their order, and no value exceeds the one where the next i begins.
 */
export function exp(x: number): number {
  if (x < -708) return 0;
  if (x >= 709.782712893384) return Infinity;
  // The product may be off by 4e-12: too many steps show in the remainder, too few don't.
  let steps = Math.floor(x * STEPS_PER_UNIT + 4e-12);
  if (remainder(x, steps) < 0) steps -= 1;
  const r = remainder(x, steps);
  const terms =
    1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r / 40320))))));
  const i = steps & 15;
  const root = ROOTS[i]!;
  return Math.min(root + root * (r * terms), ROOTS[i + 1]!) * POWERS[(steps >> 4) - LEAST_POWER]!;
}

function remainder(x: number, steps: number): number {
  return x - steps * STEP_HIGH - steps * STEP_LOW;
}

/** pi/2 in three parts: products of the first two, of 33 bits, with integers below 2^20 are exact. */
const QUARTER_HIGH = 1.5707963267341256;
const QUARTER_MIDDLE = 6.077100506303966e-11;
const QUARTER_LOW = 2.0222662487959506e-21;
const QUARTERS_PER_UNIT = 0.6366197723675814;

/** sin x for |x| < 10^6, within 2 units in the last place. */
export function sin(x: number): number {
  return sinOfQuarters(x, 0);
}

/** cos x for |x| < 10^6, within 2 units in the last place. */
export function cos(x: number): number {
  return sinOfQuarters(x, 1);
}

/** sin(x + numQuarters pi/2) */
function sinOfQuarters(x: number, numQuarters: number): number {
  const quarters = Math.floor(x * QUARTERS_PER_UNIT + 0.5);
  const r = x - quarters * QUARTER_HIGH - quarters * QUARTER_MIDDLE - quarters * QUARTER_LOW;
  const turn = (quarters + numQuarters) & 3;
  const value = turn & 1 ? cosNearZero(r) : sinNearZero(r);
  return turn & 2 ? -value : value;
}

/** |r| <= pi/4 */
function sinNearZero(r: number): number {
  const s = r * r;
  const terms =
    -1 / 6 +
    s *
      (1 / 120 +
        s *
          (-1 / 5040 +
            s *
              (1 / 362880 +
                s *
                  (-1 / 39916800 + s * (1 / 6227020800 + s * (-1 / 1307674368000 + s / 355687428096000))))));
  return r + r * s * terms;
}

/** |r| <= pi/4 */
function cosNearZero(r: number): number {
  const s = r * r;
  const terms =
    1 / 24 +
    s *
      (-1 / 720 +
        s *
          (1 / 40320 +
            s * (-1 / 3628800 + s * (1 / 479001600 + s * (-1 / 87178291200 + s / 20922789888000)))));
  return 1 - (s / 2 - s * s * terms);
}
