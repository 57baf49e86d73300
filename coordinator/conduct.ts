/** Faults that are forgiven at once: a bad line damages messages, too. */
const FREE = 3;
const MAX_COOL_DOWN_MS = 60_000;
/** After so long without a fault one is forgotten. */
const FORGIVE_MS = 60_000;
/** The least recent offenders beyond are forgotten. */
const MAX_OFFENDERS = 8192;

interface Record {
  numFaults: number;
  at: number;
}

/** Who was put out for what it sent stays out for a while: 2 s after the fourth time, then twice as long each time, at most a minute. */
export class Conduct {
  readonly #records = new Map<string, Record>();

  /** Whoever this is sent what no worker sends. */
  fault(id: string, now: number): void {
    const numFaults = this.#faults(id, now) + 1;
    this.#records.delete(id);
    this.#records.set(id, { numFaults, at: now });
    if (this.#records.size > MAX_OFFENDERS) this.#records.delete(this.#records.keys().next().value!);
  }

  /** Whether it may not come back yet. */
  isOut(id: string, now: number): boolean {
    const numFaults = this.#faults(id, now);
    if (numFaults <= FREE) return false;
    return now - this.#records.get(id)!.at < Math.min(MAX_COOL_DOWN_MS, 1000 * 2 ** (numFaults - FREE));
  }

  #faults(id: string, now: number): number {
    const record = this.#records.get(id);
    return record ? Math.max(0, record.numFaults - Math.floor((now - record.at) / FORGIVE_MS)) : 0;
  }
}
