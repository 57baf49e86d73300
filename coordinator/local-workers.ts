import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../shared/config/schema.js';
import { countGpus } from '../shared/launch/gpus.js';
import { Supervised, type End, type Restart } from '../shared/launch/supervised.js';
import { count as countOf } from './event-text.js';

export interface LocalWorkersOptions {
  /** The flags of each that say what it computes on. */
  readonly devices: readonly (readonly string[])[];
  /** Where they connect. */
  readonly address: string;
  /** Holds worker-K.log. */
  readonly logFolder: string;
  /** How often each is started again. */
  readonly restarts: number;
  /** By which they may join, as text; undefined: they need none. */
  readonly keys: string | undefined;
  readonly onExit: (local: number, reason: string) => void;
  readonly onRestart: (local: number, restart: Restart) => void;
  /** Every local worker has used up its restarts. */
  readonly onExhausted: (reason: string) => void;
}

/**
 * What the local workers of a run compute on, as their flags: so many on the CPU, which share its threads, or (`auto`) one on each
 * GPU, or where there is none one on the CPU.
 */
export function localDevices(local: Config['workers']['local']): string[][] {
  const numGpus = local === 'auto' ? countGpus() : 0;
  if (numGpus > 0) return Array.from({ length: numGpus }, (_, gpu) => ['--gpu', String(gpu)]);
  const numWorkers = local === 'auto' ? 1 : local;
  const threads = Math.max(1, Math.floor(availableParallelism() / numWorkers));
  return Array.from({ length: numWorkers }, () => ['--cpu', '--threads', String(threads)]);
}

/**
 * The worker processes that the coordinator starts on its own machine. Each is started again with back-off when it dies; their
 * output goes to a log file each.
 */
export class LocalWorkers {
  readonly #options: LocalWorkersOptions;
  readonly #workers: readonly Supervised[];
  #exhausted = 0;

  constructor(options: LocalWorkersOptions) {
    this.#options = options;
    this.#workers = options.devices.map((_, local) => this.#keep(local));
  }

  /** Asks them to leave, and kills whoever is still there after `graceSeconds`. */
  async stop(graceSeconds: number): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop(graceSeconds)));
  }

  /** At once. */
  kill(): void {
    for (const worker of this.#workers) worker.kill();
  }

  #keep(local: number): Supervised {
    const { restarts, onExit, onRestart } = this.#options;
    const worker = new Supervised({
      start: (attempt) => this.#start(local, attempt),
      restarts,
      onExit: (reason) => onExit(local, reason),
      onRestart: (restart) => onRestart(local, restart),
    });
    void worker.ended.then((end) => this.#end(local, end));
    return worker;
  }

  #start(local: number, attempt: number): ChildProcess {
    const { address, devices, keys, logFolder } = this.#options;
    mkdirSync(logFolder, { recursive: true });
    const bin = fileURLToPath(new URL('../worker/bin.js', import.meta.url));
    const log = openSync(this.#logOf(local), attempt === 0 ? 'w' : 'a');
    // The IPC channel closes when this process dies, however it dies: then the worker ends too.
    const child = spawn(process.execPath, [bin, '--coordinator', address, ...devices[local]!], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, ARDM_LOCAL: String(local), ...(keys !== undefined && { ARDM_KEYS: keys }) },
    });
    closeSync(log);
    return child;
  }

  #logOf(local: number): string {
    return path.join(this.#options.logFolder, `worker-${local}.log`);
  }

  #end(local: number, { deaths, reason }: End): void {
    if (deaths === 0) return;
    this.#exhausted++;
    if (this.#exhausted < this.#workers.length) return;
    const lastWords = readFileSync(this.#logOf(local), 'utf8').trim().split('\n').at(-1);
    this.#options.onExhausted(
      `local worker ${local} died ${countOf(deaths, 'time')} (${reason}); it said "${lastWords}" (${this.#logOf(local)})`,
    );
  }
}
