/** More sources than any run has are forgotten, the least recent first. */
const MAX_KEYS = 8192;

interface Allowance {
  tokens: number;
  filledAt: number;
  /** Held back since the last that got through. */
  numHeld: number;
}

/** Bounds how often something happens for each key: so many at once, then one each so many milliseconds. */
export class Limiter {
  readonly #burst: number;
  readonly #everyMs: number;
  readonly #allowances = new Map<string, Allowance>();

  constructor(burst: number, everyMs: number) {
    this.#burst = burst;
    this.#everyMs = everyMs;
  }

  /** How many were held back since the last that got through; undefined: this one is, too. */
  pass(key: string, now: number): number | undefined {
    const { tokens, filledAt, numHeld } = this.#allowances.get(key) ?? {
      tokens: this.#burst,
      filledAt: now,
      numHeld: 0,
    };
    const filled = Math.min(this.#burst, tokens + (now - filledAt) / this.#everyMs);
    const passes = filled >= 1;
    this.#allowances.delete(key);
    this.#allowances.set(key, {
      tokens: passes ? filled - 1 : filled,
      filledAt: now,
      numHeld: passes ? 0 : numHeld + 1,
    });
    if (this.#allowances.size > MAX_KEYS) this.forget(this.#allowances.keys().next().value!);
    return passes ? numHeld : undefined;
  }

  forget(key: string): void {
    this.#allowances.delete(key);
  }
}
