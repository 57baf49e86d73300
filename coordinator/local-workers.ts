import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { count as countOf } from './event-text.js';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Where they connect. */
  readonly address: string;
  /** Holds worker-K.log. */
  readonly logFolder: string;
  /** How often each is started again. */
  readonly restarts: number;
  /** By which they may join, as text; undefined: they need none. */
  readonly keys: string | undefined;
  readonly onExit: (local: number, reason: string) => void;
  readonly onRestart: (local: number, attempt: number, delaySeconds: number, reason: string) => void;
  /** Every local worker has used up its restarts. */
  readonly onExhausted: (reason: string) => void;
}

/** Seconds before the nth restart: 1, 2, 4, ... at most 30. */
export function backOffSeconds(attempt: number): number {
  return Math.min(30, 2 ** (attempt - 1));
}

/**
 * The worker processes that the coordinator starts on its own machine: on the CPU, its threads shared between them.
 * Each is started again with back-off when it dies; their output goes to a log file each.
 */
export class LocalWorkers {
  readonly #options: LocalWorkersOptions;
  readonly #children = new Map<number, ChildProcess>();
  readonly #stopping = new AbortController();
  #exhausted = 0;

  constructor(options: LocalWorkersOptions) {
    this.#options = options;
    mkdirSync(options.logFolder, { recursive: true });
    for (let local = 0; local < options.count; local++) this.#start(local, 0);
  }

  /** Asks them to leave, and kills whoever is still there after `graceSeconds`. */
  async stop(graceSeconds: number): Promise<void> {
    this.#stopping.abort();
    const exits = [...this.#children.values()].map(
      (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
    );
    for (const child of this.#children.values()) child.kill('SIGTERM');
    const kill = setTimeout(() => this.kill(), graceSeconds * 1000);
    await Promise.all(exits);
    clearTimeout(kill);
  }

  /** At once. */
  kill(): void {
    this.#stopping.abort();
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  #start(local: number, attempt: number): void {
    const { address, count, keys, logFolder } = this.#options;
    const bin = fileURLToPath(new URL('../worker/bin.js', import.meta.url));
    const threads = Math.max(1, Math.floor(availableParallelism() / count));
    const log = openSync(path.join(logFolder, `worker-${local}.log`), attempt === 0 ? 'w' : 'a');
    // The IPC channel closes when this process dies, however it dies: then the worker ends too.
    const child = spawn(
      process.execPath,
      [bin, '--coordinator', address, '--cpu', '--threads', String(threads)],
      {
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...process.env, ARDM_LOCAL: String(local), ...(keys !== undefined && { ARDM_KEYS: keys }) },
      },
    );
    closeSync(log);
    this.#children.set(local, child);
    child.once('exit', (code, signal) => {
      this.#children.delete(local);
      if (this.#stopping.signal.aborted) return;
      const reason = signal ?? `exit code ${code}`;
      this.#options.onExit(local, reason);
      void this.#again(local, attempt + 1, reason);
    });
  }

  async #again(local: number, attempt: number, reason: string): Promise<void> {
    const { restarts, count, logFolder, onRestart, onExhausted } = this.#options;
    if (attempt > restarts) {
      this.#exhausted++;
      if (this.#exhausted < count) return;
      const logPath = path.join(logFolder, `worker-${local}.log`);
      const lastWords = readFileSync(logPath, 'utf8').trim().split('\n').at(-1);
      onExhausted(
        `local worker ${local} died ${countOf(attempt, 'time')} (${reason}); it said "${lastWords}" (${logPath})`,
      );
      return;
    }
    const delaySeconds = backOffSeconds(attempt);
    onRestart(local, attempt, delaySeconds, reason);
    try {
      await sleep(delaySeconds * 1000, undefined, { signal: this.#stopping.signal });
    } catch {
      return;
    }
    this.#start(local, attempt);
  }
}
