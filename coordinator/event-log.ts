import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../shared/errors.js';
import type { Observer, RunEvent } from './events.js';

/** One JSON line: `time` (ISO 8601, UTC, milliseconds), `event`, `step`, then the event's own fields. */
export function eventLine({ event, step, ...fields }: RunEvent, time: number): string {
  return `${JSON.stringify({ time: new Date(time).toISOString(), event, step, ...fields })}\n`;
}

/**
 * Appends every event to a file as one JSON line, synchronously: what was emitted outlives a killed process. A full
 * disk does not stop the run; the events that it cost are counted and told on stderr.
 *
 * @throws UserError where the file cannot be opened
 */
export function createEventLog(path: string): Observer & { close(): void } {
  let file: number | undefined = open(path);
  let atLineStart = endsInNewline(file);
  let numLost = 0;

  const observe = (event: RunEvent, time: number) => {
    if (file === undefined) return;
    try {
      appendFileSync(file, (atLineStart ? '' : '\n') + eventLine(event, time));
      atLineStart = true;
    } catch (error) {
      if (numLost++ === 0) warn(`${(error as Error).message}; the run goes on without a full event log`);
      atLineStart = false; // part of the line may have got through
    }
  };
  const close = () => {
    if (file === undefined) return;
    closeSync(file);
    file = undefined;
    if (numLost > 0) warn(`${numLost} events were not written`);
  };
  const warn = (text: string) => process.stderr.write(`${path}: ${text}\n`);
  return Object.assign(observe, { close });
}

function open(path: string): number {
  try {
    return openSync(path, 'a+');
  } catch (error) {
    throw new UserError(
      `cannot write the event log ${path}: ${(error as Error).message}. Choose another folder with --run-dir`,
      undefined,
      { cause: error },
    );
  }
}

/** False for a file whose writer was killed, or met a full disk, in the middle of a line. */
function endsInNewline(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last.toString() === '\n';
}
