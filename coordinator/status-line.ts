import { stripVTControlCharacters } from 'node:util';

/** What is asked of a stream: process.stderr, or a stand-in. */
export interface Output {
  write(text: string): unknown;
  on(event: 'error', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const REDRAW_MS = 100;
const ERASE_LINE = '\r\x1b[2K';

/** The last line of a terminal, rewritten in place, below lines that stay. */
export class StatusLine {
  readonly #out: Output;
  #parts: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stale = false;

  constructor(out: Output) {
    this.#out = out;
  }

  /** Shows `parts`, the most important first, as many as fit; at most ten times a second, the last one always. */
  show(parts: readonly string[]): void {
    this.#parts = parts;
    this.#stale = true;
    if (!this.#timer) this.#draw();
  }

  /** A line that stays, above. */
  print(line: string): void {
    this.#out.write(`${ERASE_LINE}${line}\n${this.#fitting()}`);
  }

  /** Takes the status away. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#parts = [];
    this.#out.write(ERASE_LINE);
  }

  #draw(): void {
    this.#timer = undefined;
    if (!this.#stale) return;
    this.#stale = false;
    this.#out.write(ERASE_LINE + this.#fitting());
    this.#timer = setTimeout(() => this.#draw(), REDRAW_MS).unref();
  }

  #fitting(): string {
    const width = (this.#out.columns || 80) - 1;
    const [first = '', ...others] = this.#parts;
    if (widthOf(first) > width) return stripVTControlCharacters(first).slice(0, width);
    let line = first;
    for (const part of others) {
      if (widthOf(line) + 2 + widthOf(part) > width) break;
      line += `  ${part}`;
    }
    return line;
  }
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
