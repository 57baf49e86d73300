import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended. */
export interface Exit {
  /** null: by a signal, or it could not be started. */
  readonly code: number | null;
  /** `SIGKILL`, `exit code 1`, or why it could not be started. */
  readonly reason: string;
}

export interface Restart {
  readonly attempt: number;
  readonly delaySeconds: number;
  readonly reason: string;
}

/** What a process came to that is not started again. */
export interface End extends Exit {
  /** How often it died in a row; 0 where it was told to stop. */
  readonly deaths: number;
}

export interface SupervisedOptions {
  /** Starts the process, for the first time (attempt 0) or once more. */
  readonly start: (attempt: number) => ChildProcess;
  /** How often it is started again in a row. */
  readonly restarts: number;
  /** It is not to be started again after this. */
  readonly isFinal?: (exit: Exit) => boolean;
  readonly onExit?: (reason: string) => void;
  readonly onRestart: (restart: Restart, exit: Exit) => void;
}

/** A process that has run for so long is well again: its deaths are counted anew. */
const WELL_MS = 600_000;
/** Output that a process leaves behind is waited for, but not for one that it left behind too and that holds the pipe. */
const OUTPUT_MS = 1000;

/** Seconds before the nth restart: 1, 2, 4, ... at most 30. */
export function backOffSeconds(attempt: number): number {
  return Math.min(30, 2 ** (attempt - 1));
}

/** Keeps a process going: starts it again, with back-off, when it dies. */
export class Supervised {
  readonly #options: SupervisedOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  /** Resolves when the process ended and will not be started again. */
  readonly ended: Promise<End>;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.ended = this.#keep();
  }

  /** Asks it to leave, by a signal unless `ask` does it in another way, and kills it when it is still there after `graceSeconds`. */
  async stop(
    graceSeconds: number,
    ask: (child: ChildProcess) => void = (child) => child.kill('SIGTERM'),
  ): Promise<void> {
    this.#stopping.abort();
    if (this.#child) ask(this.#child);
    const kill = setTimeout(() => this.kill(), graceSeconds * 1000);
    await this.ended;
    clearTimeout(kill);
  }

  /** At once. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  async #keep(): Promise<End> {
    const { start, restarts, isFinal, onExit, onRestart } = this.#options;
    const { signal } = this.#stopping;
    for (let deaths = 0; ;) {
      const startedAt = performance.now();
      this.#child = start(deaths);
      const exit = await exitOf(this.#child);
      this.#child = undefined;
      if (signal.aborted) return { ...exit, deaths: 0 };
      onExit?.(exit.reason);
      deaths = performance.now() - startedAt < WELL_MS ? deaths + 1 : 1;
      if (isFinal?.(exit) || deaths > restarts) return { ...exit, deaths };
      const delaySeconds = backOffSeconds(deaths);
      onRestart({ attempt: deaths, delaySeconds, reason: exit.reason }, exit);
      await sleep(delaySeconds * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return { ...exit, deaths: 0 };
    }
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    await Promise.race([closed, sleep(OUTPUT_MS, undefined, { ref: false })]);
    return { code, reason: signal ?? `exit code ${code}` };
  } catch (error) {
    return { code: null, reason: (error as Error).message };
  }
}
