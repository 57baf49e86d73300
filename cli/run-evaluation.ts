import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { filesOf } from '../shared/event-files.js';

/** What a run found when it evaluated itself: the bound of its test split, bits per dimension. */
export interface RunEvaluation {
  readonly bitsPerDim: number;
  readonly standardError: number;
  /** Test examples that it evaluated. */
  readonly examples: number;
}

/** The run's own evaluation at the step of a checkpoint, from its event log; undefined where there is none. */
export async function evaluationOf(checkpoint: string, step: number): Promise<RunEvaluation | undefined> {
  const folder = path.dirname(path.resolve(checkpoint));
  if (path.basename(folder) !== 'checkpoints') return undefined;
  const log = path.join(folder, '..', 'events.jsonl');
  try {
    for (const file of filesOf(log).reverse()) {
      const { found, isBegun } = await search(file, step);
      if (found || isBegun) return found;
    }
  } catch {
    // A log that can't be read tells nothing.
  }
  return undefined;
}

/** The last evaluation at a step that is in one file of the log, and whether a run begins in it. */
async function search(
  file: string,
  step: number,
): Promise<{ found: RunEvaluation | undefined; isBegun: boolean }> {
  let found: RunEvaluation | undefined;
  let isBegun = false;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    // A run of a few million steps has as many lines: only those that count are parsed.
    if (!/"event":"(start|evaluation)"/.test(line)) continue;
    const event = parsed(line);
    if (event?.event === 'start' && event.step === 0) [found, isBegun] = [undefined, true];
    if (event?.event !== 'evaluation' || event.step !== step) continue;
    const { bitsPerDim, standardError, examples } = event;
    found = { bitsPerDim, standardError, examples };
  }
  return { found, isBegun };
}

/** A line of the log; undefined for one that was cut off. */
function parsed(line: string): ({ event: string; step: number } & RunEvaluation) | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
