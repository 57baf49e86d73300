import { stream, PURPOSE } from '../../shared/random/philox.js';

/** Normal values with a few that are a hundred times as large, as gradients have them. */
export function madeUpGradient(length: number, seed = 0, scale = 1e-3): Float32Array {
  const random = stream(seed, PURPOSE.sample);
  return Float32Array.from({ length }, () => scale * random.normal() * (random.uniform() < 0.01 ? 100 : 1));
}

/** Tensors of biases, matrices and kernels, 12,000 values and an odd one, and a scalar. */
export const TENSORS = [
  { shape: [7] },
  { shape: [64, 96] },
  { shape: [3, 3, 16, 32] },
  { shape: [1] },
  { shape: [29, 43] },
  { shape: [13] },
];

export const count = (tensors: readonly { readonly shape: readonly number[] }[]) =>
  tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
