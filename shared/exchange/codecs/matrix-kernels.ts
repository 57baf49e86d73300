import {
  Kernel,
  TYPE,
  add,
  addF64,
  addI32,
  belowI32,
  i32,
  mul,
  operation,
  repeatWhile,
  splat,
  type Code,
} from '../../wasm/assembler.js';
import { F32x4, loadAt, storeAt } from '../../wasm/quads.js';
import { scratchOf } from './scratch.js';

/** Addresses in bytes; whole vectors of four, of both arrays as many. */
interface Kernels {
  /** The products' sum in float32: four sums of every fourth, added as float64. */
  dot(a: number, b: number, end: number): number;
  /** target += factor * source */
  addScaled(target: number, source: number, end: number, factor: number): void;
}

const asF64 = operation(0xbb);

function dotKernel(): Kernel {
  const kernel = new Kernel('dot', TYPE.f64);
  const [a, b, end] = kernel.params(3, TYPE.i32);
  const [sum] = kernel.locals(1, TYPE.v128);
  const lane = (nth: number): Code => asF64(F32x4.lane(nth)(sum.value));
  kernel.body = [
    ...repeatWhile(
      belowI32(a.value, end.value),
      sum.set(add(sum.value, mul(loadAt(a.value, 0), loadAt(b.value, 0)))),
      a.set(addI32(a.value, i32(16))),
      b.set(addI32(b.value, i32(16))),
    ),
    ...addF64(addF64(lane(0), lane(1)), addF64(lane(2), lane(3))),
  ];
  return kernel;
}

function addScaledKernel(): Kernel {
  const kernel = new Kernel('addScaled');
  const [target, source, end] = kernel.params(3, TYPE.i32);
  const [factor] = kernel.params(1, TYPE.f32);
  const [factors] = kernel.locals(1, TYPE.v128);
  kernel.body = [
    ...factors.set(splat(factor.value)),
    ...repeatWhile(
      belowI32(target.value, end.value),
      storeAt(target.value, 0, add(loadAt(target.value, 0), mul(factors.value, loadAt(source.value, 0)))),
      target.set(addI32(target.value, i32(16))),
      source.set(addI32(source.value, i32(16))),
    ),
  ];
  return kernel;
}

/**
 * Kernels on a memory for a matrix of whole vectors a row, at element `matrixAt`, and for its right factors before it.
 *
 * @param maxElements of the padded matrix
 */
export function matrixKernels(maxColumns: number, maxElements: number, rank: number) {
  const matrixAt = rank * 4 * Math.ceil(maxColumns / 4);
  const kernels = [dotKernel(), addScaledKernel()];
  return { ...scratchOf<Kernels>(kernels, 4 * (matrixAt + maxElements)), matrixAt };
}
