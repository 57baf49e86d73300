import { Worker } from 'node:worker_threads';
import type { Averager } from './averager.js';
import type { CheckpointData, FromCheckpointThread, ToCheckpointThread } from './checkpoint-thread.js';
import type { RunEvent } from './events.js';

/** Writes checkpoints in a thread of its own while training goes on: the only stall is the copy of the state. */
export class Checkpointer {
  readonly #averager: Averager;
  readonly #thread: Worker;
  readonly #emit: (event: RunEvent) => void;
  readonly #isRepeatable: () => boolean;
  #buffer: SharedArrayBuffer | undefined;
  #writing: Promise<string | undefined> | undefined;
  #again = false;
  #last: { step: number; sha256: string } | undefined;

  /** @param isRepeatable whether a slice gives the same bytes twice on every worker so far */
  constructor(
    data: CheckpointData,
    averager: Averager,
    emit: (event: RunEvent) => void,
    isRepeatable: () => boolean,
  ) {
    this.#averager = averager;
    this.#emit = emit;
    this.#isRepeatable = isRepeatable;
    this.#thread = new Worker(new URL('./checkpoint-thread.js', import.meta.url), { workerData: data });
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
    await this.#thread.terminate();
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

  #ask(message: ToCheckpointThread): Promise<FromCheckpointThread> {
    return new Promise((resolve) => {
      const settle = (answer: FromCheckpointThread) => {
        this.#thread.off('error', fail);
        resolve(answer);
      };
      const fail = (error: Error) => {
        this.#thread.off('message', settle);
        resolve({ error: error.message });
      };
      this.#thread.once('message', settle).once('error', fail);
      this.#thread.postMessage(message);
    });
  }
}
