import { open, stat, type FileHandle } from 'node:fs/promises';
import { fullName, fullNumbers } from '../event-files.js';

const CHUNK_BYTES = 2 ** 20;
const NEWLINE = 10;

/** Where the reading of a log stands. Plain data. */
export interface Place {
  /** Of the file. */
  number: number;
  /** Bytes of whole lines that were read of it. */
  offset: number;
  inode: number;
}

/** Before the first line of a log. */
export const beginning = (): Place => ({ number: 0, offset: 0, inode: 0 });

/**
 * Reads the whole lines that were added to a growing log since `place`, and moves it on, across the seams where files became full. A log that is
 * another, or shorter than before, begins anew: `restarted` is called first. A line without an end waits for the rest of it; of one that is longer than
 * a mebibyte only the end is told.
 *
 * @throws the system's error where the log can't be read
 */
export async function readLines(
  log: string,
  place: Place,
  take: (line: string) => void,
  restarted: () => void,
): Promise<void> {
  const current = await open(log);
  try {
    const numbers = await numbersOf(log, current);
    const last = numbers.at(-1)!;
    if (!(await isThere(log, place, numbers, current))) {
      Object.assign(place, beginning());
      restarted();
    }
    for (const number of numbers.filter((each) => each >= place.number)) {
      if (number !== place.number) Object.assign(place, { number, offset: 0 });
      if (number === last) await readFile(current, place, take);
      else await readFull(fullName(log, number), place, take);
    }
  } finally {
    await current.close();
  }
}

/** Numbers of the log's files, that of the open one last. */
async function numbersOf(log: string, current: FileHandle): Promise<number[]> {
  const full = fullNumbers(log);
  const newest = full.at(-1);
  if (newest === undefined) return [1];
  // It may have become full since it was opened.
  const isFull = (await stat(fullName(log, newest))).ino === (await current.stat()).ino;
  return isFull ? full : [...full, newest + 1];
}

/** Whether what was read before is still what stands there. Full files may be taken away. */
async function isThere(
  log: string,
  { number, offset, inode }: Place,
  numbers: readonly number[],
  current: FileHandle,
): Promise<boolean> {
  if (offset === 0) return true;
  const last = numbers.at(-1)!;
  if (!numbers.includes(number)) return number < last;
  const { ino, size } = number === last ? await current.stat() : await stat(fullName(log, number));
  return ino === inode && size >= offset;
}

async function readFull(file: string, place: Place, take: (line: string) => void): Promise<void> {
  const handle = await open(file);
  try {
    await readFile(handle, place, take);
  } finally {
    await handle.close();
  }
}

async function readFile(handle: FileHandle, place: Place, take: (line: string) => void): Promise<void> {
  const { size, ino } = await handle.stat();
  place.inode = ino;
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(1, size - place.offset)));
  while (place.offset < size) {
    const length = Math.min(chunk.length, size - place.offset);
    const { bytesRead } = await handle.read(chunk, 0, length, place.offset);
    const end = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (end < 0 && bytesRead < CHUNK_BYTES) return;
    if (end < 0) {
      place.offset += bytesRead;
      continue;
    }
    for (const line of chunk.toString('utf8', 0, end).split('\n')) take(line);
    place.offset += end + 1;
  }
}
