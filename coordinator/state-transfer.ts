import type { Clock } from '../shared/clock.js';
import { partsOf, StateGathering, stateIn } from '../shared/exchange/state-copy.js';
import type { ModelDescription } from '../shared/model/description.js';
import type { FromWorker, ToWorker } from '../shared/protocol/messages.js';
import type { Averager, StateSnapshot } from './averager.js';

export interface StateTransferOptions {
  readonly averager: Averager;
  readonly model: ModelDescription;
  readonly bucketBytes: number;
  readonly term: number;
  readonly clock: Clock;
  readonly say: (id: string, header: ToWorker, frames?: readonly Uint8Array[]) => void;
}

/** Sends newcomers the state, and takes it from a worker that holds a newer one. */
export class StateTransfer {
  readonly #options: StateTransferOptions;
  /** The copy that everyone gets who joins before the next step. */
  #copy: Promise<StateSnapshot> | undefined;
  /** What comes from a worker, while something does. */
  #arriving: StateGathering | undefined;

  constructor(options: StateTransferOptions) {
    this.#options = options;
  }

  /** A step was committed: the copy is of the one before. */
  committed(): void {
    this.#copy = undefined;
  }

  /**
   * Copies the replica and sends it. From the copy on the newcomer gets every average, so nothing is missed in between.
   *
   * @param isHere whether it still is the member that it was
   * @param copied hears of which step the copy is
   */
  async send(id: string, isHere: () => boolean, copied: (step: number) => void): Promise<void> {
    const { averager, model, bucketBytes, term, clock, say } = this.#options;
    const { step, chain, buffer } = await (this.#copy ??= averager.snapshot());
    if (!isHere()) return;
    copied(step);
    for (const { bytes, ...part } of partsOf(stateIn(buffer, model), bucketBytes)) {
      say(id, { type: 'state', term, step, ...part }, [bytes]);
      // The state may be gigabytes: whoever else has something to say is heard meanwhile.
      await clock.turn();
      if (!isHere()) return;
    }
    say(id, { type: 'state-end', term, step, chain });
  }

  /** Asks a worker for its state. */
  fetch(id: string): void {
    const { model, bucketBytes, term, say } = this.#options;
    this.#arriving = new StateGathering(model, bucketBytes);
    say(id, { type: 'fetch-state', term });
  }

  /** Takes a part of it, or its end: then the replica goes on from there. In words what is wrong with it. */
  take(
    header: FromWorker & { type: 'state' | 'state-end' },
    frames: readonly Uint8Array[],
  ): 'more' | 'all' | { readonly problem: string } {
    const arriving = this.#arriving!;
    const problem = header.type === 'state' ? arriving.put(header, frames[0]) : arriving.problem;
    if (problem !== undefined) return { problem };
    if (header.type === 'state') return 'more';
    this.#arriving = undefined;
    this.#options.averager.load(header.step, header.chain, arriving.buffer);
    return 'all';
  }
}
