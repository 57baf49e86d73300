import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { takeGpuPrefix } from '../shared/launch/gpu-lines.js';

/** What the workers of another machine say, in a file for each of its GPUs: HOST-GPU.log, and HOST.log for the rest. */
export class HostLogs {
  readonly #folder: string;
  readonly #host: string;
  readonly #files = new Map<number | undefined, number>();
  /** What came last of those that no GPU's worker said, or else of all. */
  lastLine = '';

  constructor(folder: string, host: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#host = host;
  }

  take(line: string): void {
    const { gpu, text } = takeGpuPrefix(line);
    this.lastLine = text;
    try {
      let file = this.#files.get(gpu);
      if (file === undefined) {
        const name = gpu === undefined ? `${this.#host}.log` : `${this.#host}-${gpu}.log`;
        file = openSync(path.join(this.#folder, name), 'w');
        this.#files.set(gpu, file);
      }
      writeSync(file, `${text}\n`);
    } catch {
      // A full disk costs the line and not the run.
    }
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }
}
