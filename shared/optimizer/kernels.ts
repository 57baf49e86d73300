import {
  Kernel,
  TYPE,
  add,
  addI32,
  addPair,
  assemble,
  belowI32,
  div,
  i32,
  load,
  loadPair,
  mul,
  mulPair,
  repeatWhile,
  splat,
  sqrt,
  store,
  sub,
  sumOfPair,
  type Code,
  type Variable,
} from '../wasm/assembler.js';

/** The arrays of a training state, in the order in which they lie in memory. */
export const ARRAYS = ['parameters', 'gradient', 'firstMoment', 'secondMoment', 'ema'] as const;
export type ArrayName = (typeof ARRAYS)[number];

const ADAM_NUMBERS = [
  'clipFactor',
  'beta1',
  'oneMinusBeta1',
  'beta2',
  'oneMinusBeta2',
  'correction1',
  'correction2',
  'epsilon',
  'learningRate',
  'weightDecay',
  'emaDecay',
  'oneMinusEmaDecay',
] as const;
export type AdamNumbers = Readonly<Record<(typeof ADAM_NUMBERS)[number], number>>;

/**
 * The arithmetic of training on arrays in one shared memory: plain IEEE float32 and float64 in a fixed order, the same bits on
 * every machine. Addresses and sizes are in bytes, multiples of 16, sizes not 0.
 */
export interface Kernels {
  /** One update of all arrays, the first `bytes` of each (see `Update`). The numbers are rounded to float32 here. */
  adam(addresses: Readonly<Record<ArrayName, number>>, bytes: number, numbers: AdamNumbers): void;
  /** Sum of squares in float64, by a fixed tree: four sums of every fourth element, then (0 + 2) + (1 + 3). */
  squaredNorm(address: number, bytes: number): number;
  /** Adds the second array to the first. */
  add(target: number, source: number, bytes: number): void;
}

const VECTOR_BYTES = 16;

/** Runs the body for each vector of a range: `pointers` advance together until the first of them reaches `end`. */
function forEachVector(pointers: readonly Variable[], end: Variable, ...body: Code[]): Code {
  const advance = pointers.map((pointer) => pointer.set(addI32(pointer.value, i32(VECTOR_BYTES))));
  return repeatWhile(belowI32(pointers[0].value, end.value), ...body, ...advance);
}

function adamKernel(): Kernel {
  const kernel = new Kernel('adam');
  const pointers = kernel.params(ARRAYS.length, TYPE.i32);
  const [parameters, gradient, firstMoment, secondMoment, ema] = pointers.map(({ value }) => value);
  const [end] = kernel.params(1, TYPE.i32);
  const numbers = kernel.params(ADAM_NUMBERS.length, TYPE.f32);
  const broadcast = kernel.locals(ADAM_NUMBERS.length, TYPE.v128);
  const [
    clipFactor,
    beta1,
    oneMinusBeta1,
    beta2,
    oneMinusBeta2,
    correction1,
    correction2,
    epsilon,
    learningRate,
    weightDecay,
    emaDecay,
    oneMinusEmaDecay,
  ] = broadcast.map(({ value }) => value);
  const [g, m, v, p] = kernel.locals(4, TYPE.v128);
  const meanOverDeviation = div(mul(m.value, correction1), add(sqrt(mul(v.value, correction2)), epsilon));
  const decayed = add(meanOverDeviation, mul(weightDecay, p.value));
  kernel.body = [
    ...numbers.flatMap((number, nth) => broadcast[nth].set(splat(number.value))),
    ...forEachVector(
      pointers,
      end,
      g.set(mul(load(gradient), clipFactor)),
      m.set(add(mul(beta1, load(firstMoment)), mul(oneMinusBeta1, g.value))),
      store(firstMoment, m.value),
      v.set(add(mul(beta2, load(secondMoment)), mul(oneMinusBeta2, mul(g.value, g.value)))),
      store(secondMoment, v.value),
      p.set(load(parameters)),
      p.set(sub(p.value, mul(learningRate, decayed))),
      store(parameters, p.value),
      store(ema, add(mul(emaDecay, load(ema)), mul(oneMinusEmaDecay, p.value))),
    ),
  ];
  return kernel;
}

function squaredNormKernel(): Kernel {
  const kernel = new Kernel('squaredNorm', TYPE.f64);
  const [pointer, end] = kernel.params(2, TYPE.i32);
  const [low, high, x] = kernel.locals(3, TYPE.v128);
  const accumulate = (sum: Variable, offset: number) => [
    x.set(loadPair(pointer.value, offset)),
    sum.set(addPair(sum.value, mulPair(x.value, x.value))),
  ];
  kernel.body = [
    ...forEachVector([pointer], end, ...accumulate(low, 0), ...accumulate(high, 8)),
    ...sumOfPair(addPair(low.value, high.value)),
  ];
  return kernel;
}

function addKernel(): Kernel {
  const kernel = new Kernel('add');
  const [target, source, end] = kernel.params(3, TYPE.i32);
  kernel.body = forEachVector(
    [target, source],
    end,
    store(target.value, add(load(target.value), load(source.value))),
  );
  return kernel;
}

let compiled: WebAssembly.Module | undefined;

/** The kernels on a shared memory, which the arrays that they are given lie in. */
export function kernelsOn(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(assemble([adamKernel(), squaredNormKernel(), addKernel()]));
  const { exports } = new WebAssembly.Instance(compiled, { state: { memory } });
  const { adam, squaredNorm, add } = exports as Record<string, (...numbers: number[]) => number>;
  return {
    adam(addresses, bytes, numbers) {
      const pointers = ARRAYS.map((name) => addresses[name]);
      adam(...pointers, addresses.parameters + bytes, ...ADAM_NUMBERS.map((name) => numbers[name]));
    },
    squaredNorm: (address, bytes) => squaredNorm(address, address + bytes),
    add: (target, source, bytes) => void add(target, source, target + bytes),
  };
}
