import { Meter } from './meter.js';

/** How far coding is, on stderr: in network calls, of the batches that were told of last. */
export class CodingMeter {
  #meter: Meter | undefined;
  #numCalls = 0;

  /** Tells that so many batches are next, with as many calls each. */
  start(numBatches: number, callsPerBatch: number): void {
    this.#meter?.close();
    this.#meter = new Meter('network calls', numBatches * callsPerBatch);
    this.#numCalls = 0;
  }

  /** Tells that a network call is done. */
  readonly onCall = (): void => this.#meter?.update(++this.#numCalls);

  close(): void {
    this.#meter?.close();
  }
}
