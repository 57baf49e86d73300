/** How often a line is rewritten on a terminal, and written elsewhere. */
const REWRITTEN_EVERY_MS = 100;
const PLAIN_EVERY_MS = 10_000;

/** Where a meter writes: standard error, or what a test gives it. */
export interface MeterOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How far a long computation is, on stderr: one line that is rewritten on a terminal, a plain line now and then elsewhere. */
export class Meter {
  readonly #what: string;
  readonly #total: number;
  readonly #out: MeterOutput;
  readonly #now: () => number;
  readonly #startedAt: number;
  #toldAt: number;
  #lineIsOpen = false;

  /** @param what names the counted things, as in `images sampled` */
  constructor(
    what: string,
    total: number,
    out: MeterOutput = process.stderr,
    now: () => number = () => performance.now(),
  ) {
    [this.#what, this.#total, this.#out, this.#now] = [what, total, out, now];
    this.#startedAt = this.#toldAt = now();
  }

  /** Seconds since it was made. */
  get seconds(): number {
    return (this.#now() - this.#startedAt) / 1000;
  }

  /** Tells that `done` of all are done; may be fractional. */
  update(done: number): void {
    const finished = done >= this.#total;
    const everyMs = this.#out.isTTY ? REWRITTEN_EVERY_MS : PLAIN_EVERY_MS;
    if (!finished && this.#now() - this.#toldAt < everyMs) return;
    this.#toldAt = this.#now();
    if (!this.#out.isTTY) return void this.#out.write(`${this.#line(done)}\n`);
    this.#out.write(`\r\x1b[2K${this.#line(done)}${finished ? '\n' : ''}`);
    this.#lineIsOpen = !finished;
  }

  /** Leaves the line on a terminal, for what comes after an unfinished computation. */
  close(): void {
    if (this.#lineIsOpen) this.#out.write('\n');
    this.#lineIsOpen = false;
  }

  #line(done: number): string {
    const rate = done / Math.max(this.seconds, 1e-3);
    const left = rate > 0 ? (this.#total - done) / rate : Infinity;
    const end = left > 0 ? `, ${duration(left)} left` : ` in ${duration(this.seconds)}`;
    return `${Math.floor(done)} of ${this.#total} ${this.#what}, ${rate.toPrecision(3)}/s${end}`;
  }
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
