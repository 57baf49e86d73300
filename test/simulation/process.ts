import type { Clock } from '../../shared/clock.js';
import type { Timeline } from './timeline.js';

/** What wakes a process: its own timers, or what others send it. */
type Source = 'timer' | 'arrival';

/** A process of the simulation: what it does ends with it, and waits while it is frozen. */
export class SimulatedProcess {
  readonly name: string;
  readonly #timeline: Timeline;
  #alive = true;
  #frozen = false;
  /** What came while it was frozen. */
  readonly #late: Record<Source, (() => void)[]> = { timer: [], arrival: [] };
  /** Told when it ends. */
  readonly onEnd: (() => void)[] = [];
  /** The message that it handles, where that may change nothing. */
  handling: string | undefined;

  constructor(timeline: Timeline, name: string) {
    this.#timeline = timeline;
    this.name = name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Does something `milliseconds` from now if the process is still there, or when it wakes; the returned function takes it back. */
  after(milliseconds: number, act: () => void, source: Source = 'arrival'): () => void {
    let isWanted = true;
    const attempt = () => {
      if (!this.#alive || !isWanted) return;
      if (this.#frozen) return void this.#late[source].push(attempt);
      this.handling = undefined;
      act();
    };
    const cancel = this.#timeline.after(milliseconds, attempt);
    return () => {
      isWanted = false;
      cancel();
    };
  }

  /** Something comes in from outside: heard at once, or when it wakes. */
  arrive(hear: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen) return void this.#late.arrival.push(() => this.arrive(hear));
    this.handling = undefined;
    hear();
  }

  /** Ends it at once: nothing of it happens any more. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const tell of this.onEnd) tell();
  }

  /** As SIGSTOP does: it neither acts nor hears, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
  }

  /** As SIGCONT does: first the timers that are due, then what came meanwhile. */
  wake(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    const { timer, arrival } = this.#late;
    for (const act of [...timer.splice(0), ...arrival.splice(0)]) this.#timeline.after(0, act);
  }

  readonly clock: Clock = {
    now: () => this.#timeline.now,
    every: (milliseconds, call) => {
      let cancel = () => {};
      const plan = () => {
        cancel = this.after(
          milliseconds,
          () => {
            plan();
            call();
          },
          'timer',
        );
      };
      plan();
      return () => cancel();
    },
    sleep: (milliseconds) => new Promise((resolve) => this.after(milliseconds, resolve, 'timer')),
    turn: () => new Promise((resolve) => this.after(0, resolve)),
  };
}
