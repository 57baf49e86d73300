import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../errors.js';
import { Damage, damagedError } from './damage.js';
import { listCheckpoints, parseName, type Entry } from './folder.js';
import { MANIFEST } from './manifest.js';

/** Where a path leads: to one checkpoint, or to a folder of them. */
export type Place = { readonly checkpoint: string } | { readonly folder: string };

/**
 * Finds out what `at` is: a checkpoint, a folder of checkpoints, or a run's folder. Undefined where there is nothing.
 *
 * @throws UserError where it is a file
 */
export function locate(at: string): Place | undefined {
  if (!existsSync(at)) return undefined;
  if (statSync(at).isFile())
    throw new UserError(
      `${at} is a file, and no run: an exported model has no checkpoints and nothing to train on with. Name a run's folder, such as runs/mnist`,
    );
  const isCheckpoint = parseName(path.basename(path.resolve(at))) || existsSync(path.join(at, MANIFEST));
  if (isCheckpoint) return { checkpoint: at };
  const inRun = path.join(at, 'checkpoints');
  return { folder: existsSync(inRun) ? inRun : at };
}

/** @throws UserError where the folder can't be read */
export async function entriesIn(folder: string): Promise<Entry[]> {
  try {
    return await listCheckpoints(folder);
  } catch (error) {
    const text = `can't read checkpoints in ${folder}: ${(error as Error).message}. Name a run's folder, such as runs/mnist`;
    throw new UserError(text, undefined, { cause: error });
  }
}

export interface Newest<T> {
  readonly path: string;
  readonly opened: T;
  /** A line for each newer one that is damaged. */
  readonly skipped: string[];
}

/**
 * Opens the newest checkpoint at `at` that `open` finds good; where `at` is a checkpoint, this one. Undefined where there is none.
 *
 * @param open throws Damage where a checkpoint can't be used; anything else that it throws ends the search
 * @throws UserError where there are checkpoints but none is good: a line each
 */
export async function openNewest<T>(
  at: string,
  open: (checkpoint: string) => Promise<T>,
): Promise<Newest<T> | undefined> {
  const place = locate(at);
  if (!place) return undefined;
  if ('checkpoint' in place) {
    const { checkpoint } = place;
    try {
      return { path: checkpoint, opened: await open(checkpoint), skipped: [] };
    } catch (error) {
      throw error instanceof Damage ? damagedError(checkpoint, error) : error;
    }
  }
  const skipped: string[] = [];
  for (const entry of await entriesIn(place.folder)) {
    try {
      return { path: entry.path, opened: await open(entry.path), skipped };
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      skipped.push(`${entry.path}: ${error.message}`);
    }
  }
  if (skipped.length === 0) return undefined;
  throw new UserError(
    [
      `${place.folder} has no good checkpoint:`,
      ...skipped.map((line) => `  ${line}`),
      'Restore one from a copy, or train anew: ardm-coord --resume never',
    ].join('\n'),
  );
}
