import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { UserError } from '../errors.js';

/** At once; a call of the system takes 2 GiB at most. */
const READ_BYTES = 64 * 2 ** 20;

export interface LargeFile {
  readonly bytes: Uint8Array;
  /** Of all of it, hex. */
  readonly sha256: string;
}

/**
 * Reads a file of up to 4 GiB into memory: Node's `readFile` takes 2.
 *
 * @throws UserError
 */
export async function readLargeFile(file: string): Promise<LargeFile> {
  try {
    const about = await stat(file);
    if (!about.isFile()) throw new UserError(`${file} is no regular file`);
    if (about.size > constants.MAX_LENGTH)
      throw new UserError(`${file} has ${about.size} bytes, over ${constants.MAX_LENGTH}`);
    return await read(file, about.size);
  } catch (error) {
    const { errno, message } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new UserError(`can't read ${file}: ${message}`, undefined, { cause: error });
  }
}

async function read(file: string, size: number): Promise<LargeFile> {
  const bytes = Buffer.allocUnsafe(size);
  const hash = createHash('sha256');
  const handle = await open(file);
  try {
    for (let filled = 0; filled < size;) {
      const { bytesRead } = await handle.read(bytes, filled, Math.min(READ_BYTES, size - filled));
      if (bytesRead === 0) throw new UserError(`${file} became shorter while it was read`);
      hash.update(bytes.subarray(filled, filled + bytesRead));
      filled += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
