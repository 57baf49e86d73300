import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { uniqueSuffix } from '../data/cache.js';

/** `step-00000400`; where a step is saved again with other bytes, `step-00000400.2` and so on, so that none is ever overwritten. */
const CHECKPOINT = /^step-(\d{8,})(?:\.(\d+))?$/;
const TEMPORARY = /^\.writing-(.*)-(\d+)-\d+$/;
const LATEST = 'latest';
/** No write takes so long: what is older was left behind, also by a process of another host. */
const STALE_MS = 24 * 3600 * 1000;

/** A checkpoint in a folder of checkpoints, by its name alone: it may be damaged. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly step: number;
  /** 1, unless its step was saved again. */
  readonly version: number;
}

/** The name of a checkpoint's folder tells its step. */
export function parseName(name: string): Omit<Entry, 'path'> | undefined {
  const [matched, step, version = 1] = CHECKPOINT.exec(name) ?? [];
  return matched === undefined ? undefined : { name, step: Number(step), version: Number(version) };
}

/** A name for a checkpoint of `step` that sorts as the newest of this step. */
export function nextName(entries: readonly Entry[], step: number): string {
  const name = `step-${String(step).padStart(8, '0')}`;
  const version =
    1 + Math.max(0, ...entries.filter((entry) => entry.step === step).map((entry) => entry.version));
  return version === 1 ? name : `${name}.${version}`;
}

/**
 * The checkpoints in a folder, newest first: the highest step, and of one step the one saved last.
 *
 * @throws the system's error
 */
export async function listCheckpoints(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const parsed = item.isDirectory() ? parseName(item.name) : undefined;
    if (parsed) entries.push({ ...parsed, path: path.join(folder, item.name) });
  }
  return entries.sort((a, b) => b.step - a.step || b.version - a.version);
}

/** The name of the checkpoint that was published last; undefined where none was. */
export async function readLatest(folder: string): Promise<string | undefined> {
  const text = await readFile(path.join(folder, LATEST), 'utf8').catch(() => undefined);
  return text?.trim();
}

/** Makes a checkpoint the latest: readers see the former or this one, at any moment. */
export async function writeLatest(folder: string, name: string): Promise<void> {
  const temporary = temporaryPath(folder);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${name}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path.join(folder, LATEST));
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Flushes names, renames and removals in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name in `folder` for what is being written or removed, which no reader looks at. */
export const temporaryPath = (folder: string): string => path.join(folder, `.writing-${uniqueSuffix()}`);

/** Removes a checkpoint; a process that dies in the middle leaves no half of one. */
export async function removeCheckpoint(checkpoint: string): Promise<void> {
  const temporary = temporaryPath(path.dirname(checkpoint));
  await rename(checkpoint, temporary);
  await rm(temporary, { recursive: true });
}

/** What processes that died left in a folder. */
export async function staleTemporaries(folder: string): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await readdir(folder)) {
    const [, host, pid] = TEMPORARY.exec(name) ?? [];
    if (host === undefined) continue;
    const file = path.join(folder, name);
    const modified = (await stat(file).catch(() => undefined))?.mtimeMs ?? Infinity;
    const dead = host === hostname() && isGone(Number(pid), modified);
    if (dead || modified < Date.now() - STALE_MS) stale.push(file);
  }
  return stale;
}

/** A container's processes get the same ids at each start: one with ours that wrote before we began is gone too. */
function isGone(pid: number, modified: number): boolean {
  if (pid === process.pid) return modified < Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
