import { createHash } from 'node:crypto';
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { fileOf } from '../event-files.js';
import { beginning, type Place } from './event-lines.js';
import { createHistory, type History } from './history.js';

/** Of a roll-up, and of the history in it: one of another format is as good as none. */
const FORMAT = 2;
/** Bytes of the log before its place that tell whether the log is still the same. */
const TAIL_BYTES = 512;

/** What a log comes to, up to a place in it, so that its beginning needs not be read again. */
export interface Rollup {
  readonly place: Place;
  history: History;
}

/** The roll-up in `file`, where it is one of what `log` still begins with; else an empty one. */
export async function readRollup(file: string, log: string): Promise<Rollup> {
  try {
    const { format, number, offset, tail, history } = JSON.parse(await readFile(file, 'utf8')) as Stored;
    const events = fileOf(log, number);
    if (format === FORMAT && (await tailOf(events, offset)) === tail) {
      return { place: { number, offset, inode: (await stat(events)).ino }, history };
    }
  } catch {
    // None, or damaged: the log has everything.
  }
  return { place: beginning(), history: createHistory() };
}

interface Stored {
  readonly format: number;
  readonly number: number;
  readonly offset: number;
  readonly tail: string;
  readonly history: History;
}

/** @throws the system's error */
export async function writeRollup(file: string, log: string, { place, history }: Rollup): Promise<void> {
  const { number, offset } = place;
  // Of this moment, like the offset: both go on while the log is read.
  const text = JSON.stringify(history);
  const tail = await tailOf(fileOf(log, number), offset);
  await writeFile(
    `${file}.part`,
    `{"format":${FORMAT},"number":${number},"offset":${offset},"tail":"${tail}","history":${text}}\n`,
  );
  await rename(`${file}.part`, file);
}

async function tailOf(log: string, offset: number): Promise<string> {
  const handle = await open(log);
  try {
    const bytes = Buffer.alloc(Math.min(TAIL_BYTES, offset));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset - bytes.length);
    return createHash('sha256').update(bytes.subarray(0, bytesRead)).digest('hex');
  } finally {
    await handle.close();
  }
}
