import { EXIT, UserError } from './errors.js';
import { leaveAtOnce } from './leave-at-once.js';

type Name = 'SIGINT' | 'SIGTERM';

/** Signals that ask this process to stop: the first aborts `signal`, the second ends the process at once. */
export class StopSignals {
  readonly #names: readonly Name[];
  readonly #stopping = new AbortController();
  #name: Name = 'SIGINT';

  constructor(names: readonly Name[] = ['SIGINT', 'SIGTERM']) {
    this.#names = names;
    for (const name of names) process.on(name, this.#handle);
  }

  /** Its reason is a UserError with the exit code that the process is to end with. */
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
    for (const name of this.#names) process.off(name, this.#handle);
  }

  readonly #handle = (name: NodeJS.Signals) => {
    if (this.signal.aborted) leaveAtOnce(this.exitCode);
    this.#name = name as Name;
    this.#stopping.abort(new UserError(`stopped by ${name}`, this.exitCode));
  };
}
