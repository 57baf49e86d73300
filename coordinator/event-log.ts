import { appendFileSync, closeSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import { UserError } from '../shared/errors.js';
import { fullName, fullNumbers } from '../shared/event-files.js';
import type { Observer, RunEvent } from './events.js';

/** So large a file is put aside: some 65,000 steps. */
const MAX_BYTES = 64 * 2 ** 20;

/** One JSON line: `time` (ISO 8601, UTC, milliseconds), `event`, `step`, then the event's own fields. */
export function eventLine({ event, step, ...fields }: RunEvent, time: number): string {
  return `${JSON.stringify({ time: new Date(time).toISOString(), event, step, ...fields })}\n`;
}

/**
 * Appends every event to a file as one JSON line, synchronously: what was emitted outlives a killed process. A full
 * disk does not stop the run; the events that it cost are counted and told on stderr. A file that is full is put aside (`event-files.ts`).
 *
 * @throws UserError where the file cannot be opened
 */
export function createEventLog(path: string, maxBytes = MAX_BYTES): Observer & { close(): void } {
  let file: number | undefined = open(path);
  let atLineStart = endsInNewline(file);
  let { size } = fstatSync(file);
  let number = (fullNumbers(path).at(-1) ?? 0) + 1;
  let numLost = 0;

  /** Puts the file aside; where that can't be done it grows on, as much again. */
  const rotate = (full: number) => {
    size = 0;
    try {
      const next = openSync(`${path}.part`, 'a+');
      renameSync(path, fullName(path, number));
      renameSync(`${path}.part`, path);
      file = next;
    } catch (error) {
      return warn(`${(error as Error).message}; the event log goes on in one file`);
    }
    closeSync(full);
    number++;
    atLineStart = true;
  };

  const observe = (event: RunEvent, time: number) => {
    if (file === undefined) return;
    if (size >= maxBytes) rotate(file);
    const line = (atLineStart ? '' : '\n') + eventLine(event, time);
    try {
      appendFileSync(file, line);
      size += Buffer.byteLength(line);
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
