import { open, type FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 2 ** 20;
const NEWLINE = 10;

/** Where the reading of a log stands. Plain data. */
export interface Place {
  /** Bytes of whole lines that were read. */
  offset: number;
  inode: number;
}

/**
 * Reads the whole lines that were added to a growing file since `place`, and moves it on. A file that is another, or shorter than before, begins anew:
 * `restarted` is called first. A line without an end waits for the rest of it; of one that is longer than a mebibyte only the end is told.
 *
 * @throws the system's error where the file can't be read
 */
export async function readLines(
  file: string,
  place: Place,
  take: (line: string) => void,
  restarted: () => void,
): Promise<void> {
  const handle = await open(file);
  try {
    const { size, ino } = await handle.stat();
    if (place.offset > 0 && (ino !== place.inode || size < place.offset)) {
      place.offset = 0;
      restarted();
    }
    place.inode = ino;
    await readTo(handle, size, place, take);
  } finally {
    await handle.close();
  }
}

async function readTo(
  handle: FileHandle,
  size: number,
  place: Place,
  take: (line: string) => void,
): Promise<void> {
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
