import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { uniqueSuffix } from '../data/cache.js';
import { UserError } from '../errors.js';
import { MAX_KEYS_BYTES } from './format.js';

/**
 * Writes a file that only its owner may read, whole or not at all, and never over another.
 *
 * @throws UserError
 */
export function writePrivate(file: string, text: string, mode = 0o600): void {
  const temporary = path.join(path.dirname(file), `.${uniqueSuffix()}.part`);
  try {
    const handle = openSync(temporary, 'wx', mode);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    // Unlike a rename, a link never replaces what is there.
    linkSync(temporary, file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new UserError(`${file} is there already: keys are not written over`);
    throw new UserError(`can't write ${file}: ${message}`, undefined, { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Reads a file that nobody but its owner may read.
 *
 * @throws UserError where others may, or it cannot be read
 */
export function readPrivate(file: string): string {
  try {
    const handle = openSync(file, 'r');
    try {
      const { mode, size } = fstatSync(handle);
      if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
        const bits = (mode & 0o777).toString(8).padStart(4, '0');
        throw new UserError(`${file} holds a secret that others may read (mode ${bits}): chmod 600 ${file}`);
      }
      if (size > MAX_KEYS_BYTES) throw new UserError(`${file} is ${size} bytes: that is no file of keys`);
      return readFileSync(handle, 'utf8');
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const advice = code === 'ENOENT' ? '. `ardm keys new` makes keys' : '';
    throw new UserError(`can't read the keys in ${file}: ${message}${advice}`, undefined, { cause: error });
  }
}
