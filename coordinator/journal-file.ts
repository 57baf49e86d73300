import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { JournalFile } from './journal.js';

/** A journal on disk. */
export class JournalOnDisk implements JournalFile {
  readonly #path: string;
  readonly #sync: boolean;
  #file: number | undefined;

  /** @param sync whether a line is on the disk itself before `append` returns: then it outlives the machine, not the process alone */
  constructor(file: string, sync: boolean) {
    this.#path = file;
    this.#sync = sync;
  }

  read(): string | undefined {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  append(text: string): void {
    this.#file ??= openSync(this.#path, 'a');
    writeWhole(this.#file, text);
    if (this.#sync) fdatasyncSync(this.#file);
  }

  replace(text: string): void {
    const temporary = `${this.#path}.new`;
    const file = openSync(temporary, 'w');
    try {
      writeWhole(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    this.close();
    syncFolder(path.dirname(this.#path));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** A disk that is nearly full takes a part, and says no to the rest only. */
function writeWhole(file: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(file, rest));
}

/** So that a rename outlives the machine. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
