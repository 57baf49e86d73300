import type { Result } from './simulate.js';

/** What came of many seeds. */
export class Summary {
  #seeds = 0;
  #checks = 0;
  #events = 0;
  readonly #faults = new Map<string, number>();
  readonly #violations: { readonly seed: number; readonly violation: string }[] = [];

  add({ seed, faults, violations, checks, events }: Result): void {
    this.#seeds++;
    this.#checks += checks;
    this.#events += events;
    for (const [kind, count] of Object.entries(faults))
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    for (const violation of violations) this.#violations.push({ seed, violation });
  }

  get numViolations(): number {
    return this.#violations.length;
  }

  get faults(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#faults].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** As the last line of `npm run simulate` has it. */
  toJSON() {
    return {
      seeds: this.#seeds,
      events: this.#events,
      checks: this.#checks,
      faults: this.faults,
      violations: this.#violations,
    };
  }
}
