import { Worker } from 'node:worker_threads';
import { EXIT } from '../shared/errors.js';
import type { Averager } from './averager.js';
import type { CheckpointData, FromCheckpointWriter, ToCheckpointWriter } from './checkpoint-writing.js';
import type { Outcome } from './coordinator.js';
import type { RunEvent } from './events.js';

/** Where checkpoints are written: a thread, or a simulation of one. */
export interface CheckpointPort {
  postMessage(message: ToCheckpointWriter): void;
  on(event: 'message', listen: (message: FromCheckpointWriter) => void): unknown;
  on(event: 'error', listen: (error: Error) => void): unknown;
  terminate(): Promise<unknown>;
}

const inThread = (data: CheckpointData): CheckpointPort =>
  new Worker(new URL('./checkpoint-thread.js', import.meta.url), { workerData: data });

/** Writes checkpoints in a thread of its own while training goes on: the only stall is the copy of the state. */
export class Checkpointer {
  readonly #averager: Averager;
  readonly #port: CheckpointPort;
  readonly #emit: (event: RunEvent) => void;
  readonly #isRepeatable: () => boolean;
  #buffer: SharedArrayBuffer | undefined;
  #writing: Promise<string | undefined> | undefined;
  #again = false;
  /** Set once there is nobody to answer any more. */
  #died: { readonly error: string } | undefined;
  #settle: (answer: FromCheckpointWriter) => void = () => undefined;
  #last: { step: number; sha256: string } | undefined;

  /** @param isRepeatable whether a slice gives the same bytes twice on every worker so far */
  constructor(
    data: CheckpointData,
    averager: Averager,
    emit: (event: RunEvent) => void,
    isRepeatable: () => boolean,
    open: (data: CheckpointData) => CheckpointPort = inThread,
  ) {
    this.#averager = averager;
    this.#emit = emit;
    this.#isRepeatable = isRepeatable;
    this.#port = open(data);
    this.#port.on('message', (answer) => this.#settle(answer));
    this.#port.on('error', ({ message }) => {
      this.#died = { error: message };
      this.#settle(this.#died);
    });
  }

  /** The newest checkpoint that this process published. */
  get last(): { readonly step: number; readonly sha256: string } | undefined {
    return this.#last;
  }

  /**
   * Saves the state as it is now; where a save is still being written, once more right after it. Resolves with why the
   * last of them failed, if it did.
   */
  save(): Promise<string | undefined> {
    if (this.#writing) this.#again = true;
    else this.#writing = this.#write();
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#port.terminate();
  }

  async #write(): Promise<string | undefined> {
    let failure: string | undefined;
    do {
      this.#again = false;
      failure = undefined;
      const snapshot = await this.#averager.snapshot(this.#buffer);
      this.#buffer = snapshot.buffer;
      if (snapshot.step === this.#last?.step) continue;
      const { step, chain, buffer } = snapshot;
      const answer = await this.#ask({ step, chain, repeatable: this.#isRepeatable(), buffer });
      if ('error' in answer) {
        failure = answer.error;
        this.#emit({ event: 'checkpoint-failed', step, reason: failure });
        continue;
      }
      this.#last = { step, sha256: answer.sha256 };
      const { path, sha256, bytes, seconds, warnings } = answer;
      this.#emit({
        event: 'checkpoint',
        step,
        path,
        sha256,
        bytes,
        seconds,
        snapshotSeconds: snapshot.seconds,
        warnings,
      });
    } while (this.#again);
    this.#writing = undefined;
    return failure;
  }

  /** One at a time. */
  #ask(message: ToCheckpointWriter): Promise<FromCheckpointWriter> {
    return new Promise((resolve) => {
      if (this.#died) return resolve(this.#died);
      this.#settle = resolve;
      this.#port.postMessage(message);
    });
  }
}

/** Saves the last state. A run whose end is on no disk has failed. */
export async function saveLast(outcome: Outcome, checkpointer: Checkpointer): Promise<Outcome> {
  const failure = await checkpointer.save();
  if (failure === undefined || outcome.reason !== undefined) return outcome;
  return { exitCode: EXIT.failure, reason: `the last checkpoint could not be written: ${failure}` };
}
