import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsageError, UserError } from '../errors.js';
import {
  allowedLine,
  coordinatorLine,
  isKeyName,
  parseAllowed,
  parseCoordinatorKeys,
  workerLine,
} from './format.js';
import { createPair, type CoordinatorKeys } from './keys.js';
import { readPrivate, writePrivate } from './private-file.js';

const COORDINATOR = 'coordinator.key';
const ALLOWED = 'allowed';
/** Larger than any file that lets a worker in. */
const MAX_ALLOWED_BYTES = 4096;
/** Who may join is read anew when it is asked for after so long: strangers who knock fast cost no more. */
const REREAD_MS = 100;

/** A worker that may join. */
export interface Allowed {
  readonly name: string;
  readonly publicKey: string;
  readonly path: string;
}

/**
 * Makes a coordinator's pair in a folder.
 *
 * @throws UserError where it has one already, or it cannot be written
 */
export function createKeyFolder(folder: string): void {
  try {
    mkdirSync(path.join(folder, ALLOWED), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(`can't make the folder ${folder}: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
  writePrivate(path.join(folder, COORDINATOR), coordinatorLine(createPair()));
}

/**
 * Makes a worker's pair, and lets it in. Returns the path of the file that the worker needs.
 *
 * @throws UserError
 */
export function addWorker(folder: string, name: string): string {
  if (!isKeyName(name) || name === 'coordinator') {
    throw new UsageError(
      `"${name}" names no worker: take letters, digits, dot, dash and underscore, and not "coordinator"`,
    );
  }
  const coordinator = readOwn(folder).own.publicKey;
  const own = createPair();
  const file = path.join(folder, `${name}.key`);
  writePrivate(file, workerLine({ name, own, coordinator }));
  writePrivate(path.join(folder, ALLOWED, `${name}.pub`), allowedLine(name, own.publicKey), 0o644);
  return file;
}

/** Who may join, by name, and the files there that let nobody in. */
export function listAllowed(folder: string): { allowed: Allowed[]; unreadable: string[] } {
  const allowed: Allowed[] = [];
  const unreadable: string[] = [];
  for (const file of namesIn(path.join(folder, ALLOWED))) {
    const at = path.join(folder, ALLOWED, file);
    const entry = readAllowed(at);
    if (entry) allowed.push({ ...entry, path: at });
    else unreadable.push(at);
  }
  return { allowed, unreadable };
}

/**
 * The keys of a coordinator. Who may join is what the folder `allowed` says when someone knocks: a file that comes lets a worker in, one
 * that goes shuts it out.
 *
 * @param now milliseconds, for how old the list is
 * @throws UserError
 */
export function openKeyFolder(folder: string, now: () => number = () => performance.now()): CoordinatorKeys {
  const { own } = readOwn(folder);
  let names = new Map<string, string>();
  let readAt = -Infinity;
  return {
    own,
    nameOf: (publicKey) => {
      if (now() - readAt > REREAD_MS) {
        names = new Map(listAllowed(folder).allowed.map(({ publicKey, name }) => [publicKey, name]));
        readAt = now();
      }
      return names.get(publicKey);
    },
  };
}

function readOwn(folder: string) {
  const file = path.join(folder, COORDINATOR);
  return parseCoordinatorKeys(readPrivate(file), file);
}

/** A folder that is gone, or can't be read, lets nobody in. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pub') && !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}

function readAllowed(file: string): { name: string; publicKey: string } | undefined {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_ALLOWED_BYTES) return undefined;
    return parseAllowed(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
