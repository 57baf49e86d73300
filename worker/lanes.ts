import { Worker } from 'node:worker_threads';
import type { EngineChoice } from '../shared/engine/select.js';
import { UserError } from '../shared/errors.js';
import type { Device, FromLane, LaneJobs, LaneModel, LaneRequest } from './lane-thread.js';

interface Job {
  readonly message: LaneRequest;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Lane {
  readonly thread: Worker;
  job: Job | undefined;
}

/**
 * The threads that compute. Each has a session of its own on one thread and takes whole slices, so a second CPU thread
 * costs no synchronisation and changes no bit of a slice's result.
 */
export class Lanes {
  readonly #lanes: Lane[];
  readonly #queue: Job[] = [];
  #loaded: { readonly memory: WebAssembly.Memory; readonly key: string } | undefined;
  readonly device: Device;

  private constructor(threads: readonly Worker[], device: Device, failed: (error: Error) => void) {
    this.device = device;
    this.#lanes = threads.map((thread) => ({ thread, job: undefined }));
    for (const lane of this.#lanes) {
      lane.thread.on('message', (message: FromLane) => this.#settle(lane, message));
      lane.thread.on('error', failed);
    }
  }

  /**
   * Starts the lanes: one on a GPU, `threads` on the CPU, whichever the choice comes down to. `failed` hears of dying threads.
   *
   * Throws UserError when the wished engine or device isn't there.
   */
  static async start(
    threads: number,
    choice: Omit<EngineChoice, 'threads'>,
    failed: (error: Error) => void,
  ): Promise<Lanes> {
    const first = await startThread({ ...choice, threads: 1 });
    const { device } = first;
    const numOthers = device.provider === 'cpu' ? threads - 1 : 0;
    const others = await Promise.all(
      Array.from({ length: numOthers }, () => startThread({ cpu: true, engine: choice.engine, threads: 1 })),
    );
    return new Lanes(
      [first, ...others].map(({ thread }) => thread),
      device,
      failed,
    );
  }

  get count(): number {
    return this.#lanes.length;
  }

  /** Gives every lane the model to work on, once it is done with what it computes. One that it has already stays as it is. */
  async load(model: LaneModel): Promise<void> {
    const { memory, ...rest } = model;
    const key = JSON.stringify(rest);
    const isLoaded = this.#loaded?.memory === memory && this.#loaded.key === key;
    await Promise.all(
      this.#lanes.map(async (lane) => {
        while (lane.job) await new Promise((resolve) => lane.thread.once('message', resolve));
        if (isLoaded) return;
        await new Promise<void>((resolve, reject) =>
          this.#give(lane, { message: { kind: 'model', request: model }, resolve, reject }),
        );
      }),
    );
    this.#loaded = { memory, key };
  }

  /** Runs a job on the next free lane; those marked urgent go before all that wait. */
  run<K extends keyof LaneJobs>(
    kind: K,
    request: LaneJobs[K]['request'],
    urgent = false,
  ): Promise<LaneJobs[K]['result']> {
    return new Promise((resolve, reject) => {
      const job: Job = { message: { kind, request } as LaneRequest, resolve, reject };
      if (urgent) this.#queue.unshift(job);
      else this.#queue.push(job);
      this.#next();
    });
  }

  /** Forgets the jobs that no lane has begun; their promises never settle. */
  clear(): void {
    this.#queue.length = 0;
  }

  /** Not while a lane computes: it can't be interrupted. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ thread }) => thread.terminate()));
  }

  #next(): void {
    for (const lane of this.#lanes) {
      if (lane.job) continue;
      const job = this.#queue.shift();
      if (!job) return;
      this.#give(lane, job);
    }
  }

  #give(lane: Lane, job: Job): void {
    lane.job = job;
    lane.thread.postMessage(job.message);
  }

  #settle(lane: Lane, message: FromLane): void {
    const { job } = lane;
    lane.job = undefined;
    if (message.kind === 'result') job?.resolve(message.result as never);
    else if (message.kind === 'error') job?.reject(new Error(message.message));
    this.#next();
  }
}

/** A thread with the engine of the choice, ready for jobs. */
function startThread(choice: EngineChoice): Promise<{ thread: Worker; device: Device }> {
  const thread = new Worker(new URL('./lane-thread.js', import.meta.url), { workerData: choice });
  return new Promise((resolve, reject) => {
    thread.once('message', (message: FromLane) => {
      thread.off('error', reject);
      if (message.kind === 'device') resolve({ thread, device: message.device });
      else reject(new UserError(message.kind === 'error' ? message.message : 'the engine did not start'));
    });
    thread.once('error', reject);
  });
}
