import type { StepPhases } from './events.js';

/** Where the time of a step goes. All times are milliseconds of one clock. */
export class StepClock {
  #startedAt: number;
  #firstArrivalAt: number | undefined;
  #lastArrivalAt = 0;

  constructor(now: number) {
    this.#startedAt = now;
  }

  /** When the step began. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** A step begins: slices can be computed from now on. */
  begin(now: number): void {
    this.#startedAt = now;
    this.#firstArrivalAt = undefined;
  }

  /** Part of a gradient arrived. */
  arrive(now: number): void {
    this.#firstArrivalAt ??= now;
    this.#lastArrivalAt = now;
  }

  /** Seconds of the step that was averaged in `reduceSeconds`, decided at `decided` and published at `published`. */
  read(reduceSeconds: number, decided: number, published: number): { seconds: number; phases: StepPhases } {
    const firstArrivalAt = this.#firstArrivalAt ?? decided;
    return {
      seconds: (decided - this.#startedAt) / 1000,
      phases: {
        compute: (firstArrivalAt - this.#startedAt) / 1000,
        upload: (Math.max(this.#lastArrivalAt, firstArrivalAt) - firstArrivalAt) / 1000,
        reduce: reduceSeconds,
        publish: (published - decided) / 1000,
      },
    };
  }
}
