import { kernelsOn, type Kernels } from './kernels.js';

/** Two blocks of this size stay in the processor's nearer caches. */
const BLOCK_ELEMENTS = 16_384;
const BLOCK_BYTES = 4 * BLOCK_ELEMENTS;

let scratch: { kernels: Kernels; target: Float32Array; source: Float32Array } | undefined;

function makeScratch() {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const block = (nth: number) => new Float32Array(memory.buffer, nth * BLOCK_BYTES, BLOCK_ELEMENTS);
  return { kernels: kernelsOn(memory), target: block(0), source: block(1) };
}

/** Adds `source` to `target`, element by element in float32. The arrays are of equal length, in memory of any kind. */
export function addInto(target: Float32Array, source: Float32Array): void {
  scratch ??= makeScratch();
  for (let begin = 0; begin < target.length; begin += BLOCK_ELEMENTS) {
    const block = target.subarray(begin, begin + BLOCK_ELEMENTS);
    scratch.target.set(block);
    scratch.source.set(source.subarray(begin, begin + BLOCK_ELEMENTS));
    scratch.kernels.add(0, BLOCK_BYTES, BLOCK_BYTES);
    block.set(scratch.target.subarray(0, block.length));
  }
}
