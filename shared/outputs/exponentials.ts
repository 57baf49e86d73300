import {
  assemble,
  Kernel,
  TYPE,
  addI32,
  belowI32,
  i32,
  loadPair,
  repeatWhile,
  store,
  type Code,
} from '../wasm/assembler.js';
import { F64x2 } from '../wasm/pairs.js';

const MOST = 65_536;
const PAGE_BYTES = 65_536;
/** Where in the memory the powers lie: behind MOST float32. */
const POWERS_AT = 4 * MOST;

const LEAST = -708;
const PER_LN2 = 1.4426950408889634;
/** ln 2 in two parts: products of the first, of 33 bits, with integers below 2^20 are exact. */
const [LN2_HIGH, LN2_LOW] = [0.6931471803691238, 1.9082149292705877e-10];
/** Added to a number it leaves its nearest integer in the low bits. */
const ROUNDER = 1.5 * 2 ** 52;
const [EXPONENT_BITS, DEGREE] = [52, 12];

/**
 * e^(x - largest) of pairs of float32, as float64: 0 below LEAST. With x - largest = k ln 2 + r and |r| <= ln(2)/2, the terms of e^r up to
 * the 12th, and k added to the exponent.
 */
function exponentialsKernel(): Kernel {
  const { of, splat, add, sub, mul, atLeast, and, shiftLeft, addIntegers } = F64x2;
  const kernel = new Kernel('exponentials');
  const [logits, powers, end] = kernel.params(3, TYPE.i32);
  const [largest] = kernel.params(1, TYPE.f64);
  const [x, rounded, k, r] = kernel.locals(4, TYPE.v128);
  let terms: Code = of(1 / factorialOf(DEGREE));
  for (let n = DEGREE - 1; n >= 0; n--) terms = add(mul(terms, r!.value), of(1 / factorialOf(n)));
  kernel.body = repeatWhile(
    belowI32(logits!.value, end!.value),
    x!.set(sub(loadPair(logits!.value, 0), splat(largest!.value))),
    rounded!.set(add(mul(x!.value, of(PER_LN2)), of(ROUNDER))),
    k!.set(sub(rounded!.value, of(ROUNDER))),
    r!.set(sub(sub(x!.value, mul(k!.value, of(LN2_HIGH))), mul(k!.value, of(LN2_LOW)))),
    store(
      powers!.value,
      and(addIntegers(terms, shiftLeft(rounded!.value, i32(EXPONENT_BITS))), atLeast(x!.value, of(LEAST))),
    ),
    logits!.set(addI32(logits!.value, i32(8))),
    powers!.set(addI32(powers!.value, i32(16))),
  );
  return kernel;
}

function factorialOf(n: number): number {
  return n === 0 ? 1 : n * factorialOf(n - 1);
}

type Exponentials = (logits: number, powers: number, end: number, largest: number) => void;
let instance: { logits: Float32Array; powers: Float64Array; exponentials: Exponentials } | undefined;

function create(): NonNullable<typeof instance> {
  const pages = (POWERS_AT + 8 * MOST) / PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const module = new WebAssembly.Module(assemble([exponentialsKernel()]));
  const { exports } = new WebAssembly.Instance(module, { state: { memory } });
  return {
    logits: new Float32Array(memory.buffer, 0, MOST),
    powers: new Float64Array(memory.buffer, POWERS_AT, MOST),
    exponentials: exports.exponentials as Exponentials,
  };
}

/**
 * e^(logit - largest) of a variable's logits, `count` of them (at most 65,536) from `offset` on and `stride` apart: within 1e-15, 0 below
 * e^-708, the same bits on every machine. They are the first of an array that holds them until the next call.
 */
export function exponentialsOf(
  given: Float32Array,
  offset: number,
  stride: number,
  count: number,
): Float64Array {
  const { logits, powers, exponentials } = (instance ??= create());
  let largest = -Infinity;
  for (let k = 0; k < count; k++) {
    const logit = given[offset + k * stride]!;
    logits[k] = logit;
    if (logit > largest) largest = logit;
  }
  exponentials(0, POWERS_AT, 4 * count, largest);
  return powers;
}
