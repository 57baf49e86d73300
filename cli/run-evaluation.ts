import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

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
  let found: RunEvaluation | undefined;
  try {
    for await (const line of createInterface({ input: createReadStream(log), crlfDelay: Infinity })) {
      // A run of a few million steps has as many lines: only those that count are parsed.
      if (!/"event":"(start|evaluation)"/.test(line)) continue;
      const event = parsed(line);
      if (event?.event === 'start' && event.step === 0) found = undefined;
      if (event?.event !== 'evaluation' || event.step !== step) continue;
      const { bitsPerDim, standardError, examples } = event;
      found = { bitsPerDim, standardError, examples };
    }
  } catch {
    return undefined;
  }
  return found;
}

/** A line of the log; undefined for one that was cut off. */
function parsed(line: string): ({ event: string; step: number } & RunEvaluation) | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
