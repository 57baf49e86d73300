import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../../coordinator/events.js';

export type Logged = RunEvent & { time: string };

/** Reads what comes into an event log, bit by bit. */
export class EventTail {
  readonly #path: string;
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** What came since the last time. */
  read(): Logged[] {
    if (!existsSync(this.#path)) return [];
    const file = openSync(this.#path, 'r');
    const chunk = Buffer.alloc(1 << 16);
    try {
      for (let length; (length = readSync(file, chunk, 0, chunk.length, this.#offset)) > 0;) {
        this.#offset += length;
        this.#rest += chunk.toString('utf8', 0, length);
      }
    } finally {
      closeSync(file);
    }
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop()!;
    return lines.flatMap((line) => logged(line));
  }
}

/** A coordinator that is killed may leave half a line. */
function logged(line: string): Logged[] {
  try {
    return [JSON.parse(line) as Logged];
  } catch {
    return [];
  }
}
