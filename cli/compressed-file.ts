import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ByteSource } from '../shared/compression/byte-source.js';
import { UsageError, UserError } from '../shared/errors.js';

/** Stands for standard input or output. */
export const STANDARD = '-';

/**
 * Opens a compressed file, or standard input.
 *
 * @throws UserError
 */
export async function openSource(file: string): Promise<ByteSource> {
  if (file === STANDARD) {
    if (process.stdin.isTTY) throw new UsageError('standard input is a terminal: name a file');
    return new ByteSource('standard input', process.stdin);
  }
  const there = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw cantRead(file, error);
  });
  if (there.isDirectory()) throw new UserError(`${file} is a folder: name a file`);
  return new ByteSource(file, pieces(file));
}

async function* pieces(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw cantRead(file, error as NodeJS.ErrnoException);
  }
}

function cantRead(file: string, error: NodeJS.ErrnoException): UserError {
  const why = error.code === 'ENOENT' ? 'there is none' : error.message;
  return new UserError(`can't read ${file}: ${why}`, undefined, { cause: error });
}

/** Writes pieces to standard output as they come. Throws UserError where nobody reads them any more. */
export async function writeStandard(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  } catch (error) {
    if (error instanceof UserError || (error as NodeJS.ErrnoException).errno === undefined) throw error;
    throw new UserError(`can't write to standard output: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}
