import type { ParameterSpec } from '../networks/network.js';

/** What a tensor is held in. */
export type FloatArray = Float32Array | Float64Array;
type Layout = Pick<ParameterSpec, 'originalShape' | 'axes'>;

/** One tensor from memory order to the original's, which checkpoints hold. Both arrays are as long as the tensor. */
export function toOriginal(spec: Layout, memory: FloatArray, into: FloatArray): void {
  if (!spec.axes) into.set(memory);
  else visit(spec.originalShape, spec.axes, (inMemory, inOriginal) => (into[inOriginal] = memory[inMemory]!));
}

/** One tensor from the original's order to memory order: the inverse of `toOriginal`. */
export function fromOriginal(spec: Layout, original: FloatArray, into: FloatArray): void {
  if (!spec.axes) into.set(original);
  else
    visit(spec.originalShape, spec.axes, (inMemory, inOriginal) => (into[inMemory] = original[inOriginal]!));
}

/** Calls `move` with the two positions of each element; memory = transpose(original, axes). */
function visit(
  originalShape: readonly number[],
  axes: readonly number[],
  move: (inMemory: number, inOriginal: number) => void,
): void {
  const strides = originalShape.map((_, i) => originalShape.slice(i + 1).reduce((a, b) => a * b, 1));
  let inMemory = 0;
  const walk = (depth: number, base: number): void => {
    const extent = originalShape[axes[depth]!]!;
    const stride = strides[axes[depth]!]!;
    if (depth === axes.length - 1) for (let i = 0; i < extent; i++) move(inMemory++, base + i * stride);
    else for (let i = 0; i < extent; i++) walk(depth + 1, base + i * stride);
  };
  walk(0, 0);
}
