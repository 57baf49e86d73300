import { EXIT } from '../shared/errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** SIGINT and SIGTERM of this process: the first asks to save and stop, the second ends the process at once. */
export class StopSignals {
  readonly #stopping = new AbortController();
  #name: (typeof SIGNALS)[number] = 'SIGINT';

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#handle);
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** The signal that came. */
  get name(): string {
    return this.#name;
  }

  get exitCode(): number {
    return this.#name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }

  /** Calls back once, now where a signal came before. */
  onStop(stop: () => void): void {
    if (this.signal.aborted) stop();
    else this.signal.addEventListener('abort', stop, { once: true });
  }

  /** Leaves the signals to whoever comes next. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handle);
  }

  readonly #handle = (signal: NodeJS.Signals) => {
    if (this.signal.aborted) process.exit(this.exitCode);
    this.#name = signal as (typeof SIGNALS)[number];
    this.#stopping.abort();
  };
}
