import type { SharedBuffers, SharedMemory, SharedSizes } from '../../shared/exchange/shared-memory.js';
import type { SimulatedProcess } from './process.js';

/** The memory of one host: whoever opens a path gets the same buffers, as long as their maker lives. */
export class HostMemory {
  readonly #open = new Map<string, readonly SharedArrayBuffer[]>();
  #numMade = 0;

  /** What a process has of it. */
  of(process: SimulatedProcess): SharedMemory {
    return {
      machine: 'host',
      create: (sizes) => this.#create(process, sizes),
      open: (path) => {
        const buffers = this.#open.get(path);
        if (!buffers) throw new Error(`${path} is gone`);
        return buffers;
      },
    };
  }

  #create(process: SimulatedProcess, { count, bytes }: SharedSizes): SharedBuffers {
    const path = `${process.name}/${this.#numMade++}`;
    const buffers = Array.from({ length: count }, () => new SharedArrayBuffer(bytes));
    const close = () => void this.#open.delete(path);
    this.#open.set(path, buffers);
    process.onEnd.push(close);
    return { path, buffers, close };
  }
}
