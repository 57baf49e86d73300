import { UsageError } from '../errors.js';

/** One thing that is wrong. */
export interface Problem {
  /** `FILE:LINE:COLUMN`, or the flag that said it. */
  readonly place: string;
  /** What is wrong, and what to write instead. */
  readonly text: string;
}

/** So many are told at once. */
const MOST = 20;

/** One line each: `FILE:LINE:COLUMN: what is wrong`. */
export function problemsError(problems: readonly Problem[]): UsageError {
  const lines = problems.slice(0, MOST).map(({ place, text }) => `${place}: ${text}`);
  if (problems.length > MOST) lines.push(`... and ${problems.length - MOST} more`);
  return new UsageError(lines.join('\n'));
}
