import { assemble, type Kernel } from '../../wasm/assembler.js';

/** Elements that kernels take at a time: they and their codes stay in the processor's nearer caches. */
export const CHUNK = 16_384;

const PAGE_BYTES = 65_536;

/** Kernels with a memory of their own, from and into which everything is copied: gradients lie in memory of any kind. */
export interface Scratch<Kernels> {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
}

/** @param bytes that the memory holds at least */
export function scratchOf<Kernels>(kernels: readonly Kernel[], bytes: number): Scratch<Kernels> {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(kernels, 'unshared')), {
    state: { memory },
  });
  return { memory, kernels: exports as Kernels };
}
