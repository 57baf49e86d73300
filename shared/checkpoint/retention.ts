import type { Entry } from './folder.js';

export interface Retention {
  /** So many of the newest are kept. */
  readonly keepLast: number;
  /** Besides, those whose step is a multiple of this; 0: none. */
  readonly keepEvery: number;
}

/**
 * Those of the checkpoints (newest first) that may go once the one named `latest` is published. That one stays, whatever its step:
 * damaged ones may be newer.
 */
export function superfluous(
  entries: readonly Entry[],
  latest: string,
  { keepLast, keepEvery }: Retention,
): Entry[] {
  const newest = new Set([...new Set(entries.map(({ step }) => step))].slice(0, keepLast));
  const seen = new Set<number>();
  return entries.filter(({ name, step }) => {
    const superseded = seen.has(step);
    seen.add(step);
    const wanted = newest.has(step) || (keepEvery > 0 && step % keepEvery === 0);
    return name !== latest && (superseded || !wanted);
  });
}
