import { readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * An event log is written to one file, `events.jsonl`. Whenever that is full it is put aside as `events.1.jsonl`, `events.2.jsonl` and so on:
 * the file that is written to has the number that it will get.
 */
export function fullName(log: string, number: number): string {
  return log.replace(/(?=\.jsonl$)/, `.${number}`);
}

/** Numbers of a log's full files, the oldest first. */
export function fullNumbers(log: string): number[] {
  const name = path.basename(log, '.jsonl');
  return readdirSync(path.dirname(log))
    .flatMap((file) => {
      const [, begin, number] = /^(.*)\.([1-9]\d{0,8})\.jsonl$/.exec(file) ?? [];
      return begin === name ? Number(number) : [];
    })
    .sort((a, b) => a - b);
}

/** The file that has the number, or will get it. */
export function fileOf(log: string, number: number): string {
  return fullNumbers(log).includes(number) ? fullName(log, number) : log;
}

/** All files of a log, the oldest first. */
export function filesOf(log: string): string[] {
  return [...fullNumbers(log).map((number) => fullName(log, number)), log];
}
