import { gradientBytes } from '../shared/exchange/gradient-buffer.js';
import type { SharedBuffers, SharedMemory } from '../shared/exchange/shared-memory.js';
import type { FromWorker, ToWorker } from '../shared/protocol/messages.js';

/** Averages that the slowest of those who see them may be behind. */
const NUM_AVERAGES = 4;

type Offer = NonNullable<(ToWorker & { type: 'welcome' })['memory']>;

/** Memory in which the coordinator and the workers of its machine leave gradients for each other, while only words travel. */
export class SameHostLane {
  readonly #memory: SharedMemory;
  readonly #bytes: number;
  readonly #slices: number;
  readonly #averages: SharedBuffers;

  /**
   * @param slices of a step
   * @throws Error where there is no such memory
   */
  constructor(memory: SharedMemory, numParameters: number, slices: number) {
    this.#memory = memory;
    this.#slices = slices;
    this.#bytes = gradientBytes(numParameters);
    this.#averages = memory.create({ count: NUM_AVERAGES, bytes: this.#bytes, writable: false });
  }

  /** Where the averager puts averages. */
  get places(): readonly SharedArrayBuffer[] {
    return this.#averages.buffers;
  }

  /**
   * Memory for the sums of a worker, if it is on this machine: as many buffers as it has in use at a time, one a lane and
   * the subtrees of a deal. Pages that it doesn't touch cost nothing.
   */
  offer({ machine, lanes }: FromWorker & { type: 'hello' }): SharedBuffers | undefined {
    if (machine !== this.#memory.machine) return undefined;
    const count = lanes + 3 * Math.log2(this.#slices) + 2;
    try {
      return this.#memory.create({ count, bytes: this.#bytes, writable: true });
    } catch {
      return undefined;
    }
  }

  /** The words by which a worker finds it. */
  memory(sums: SharedBuffers): Offer {
    const word = ({ path, buffers }: SharedBuffers) => ({ path, count: buffers.length });
    return { sums: word(sums), averages: word(this.#averages) };
  }

  close(): void {
    this.#averages.close();
  }
}
