import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import koffi from 'koffi';
import { UserError } from '../shared/errors.js';

/** Of flock(2): nobody else may have it, and don't wait for it. */
const EXCLUSIVE = 2;
const AT_ONCE = 4;

/** Who writes into a run's folder. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/**
 * Keeps the folder of a run to this process: `lock` in it is locked by the system (flock) and names who has it. A process that dies, however it does,
 * loses its lock with it, so none is ever stale. Not on Windows, nor on a file system without such locks.
 *
 * @returns gives it back
 * @throws UserError where another process has it
 */
export function lockRunFolder(runFolder: string): () => void {
  const lockPath = path.join(runFolder, 'lock');
  const file = openSync(lockPath, 'a');
  if (!lock(file)) {
    closeSync(file);
    throw new UserError(
      `another coordinator${describe(lockPath)} is writing into ${runFolder}: ` +
        'stop it first (SIGTERM: it saves), or choose another folder with --run-dir',
    );
  }
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  ftruncateSync(file);
  writeSync(file, `${JSON.stringify(owner)}\n`);
  return () => closeSync(file);
}

/** False where another process has the lock. */
function lock(file: number): boolean {
  if (process.platform === 'win32') return true;
  const flock = koffi.load(null).func('int flock(int, int)');
  return flock(file, EXCLUSIVE | AT_ONCE) === 0 || koffi.errno() !== koffi.os.errno.EAGAIN;
}

/** Of who has the lock, where it has said so already. */
function describe(lockPath: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(lockPath, 'utf8')) as Owner;
    return ` (process ${pid} on ${host}, since ${since})`;
  } catch {
    return '';
  }
}
