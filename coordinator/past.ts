import { randomUUID } from 'node:crypto';
import { goesOnFrom, type Past } from './journal.js';
import type { StartState } from './start-state.js';

/**
 * What is known of the run: its journal's word where that goes on from the state that was loaded, in a new term.
 *
 * @param noted what the journal says
 * @param time milliseconds since 1970
 */
export function pastOf(
  noted: Past | undefined,
  resume: string,
  configHash: string,
  start: Pick<StartState, 'step' | 'chain'>,
  time: number,
): Past {
  const { step, chain } = start;
  const term = Math.max(Math.floor(time / 1000), (noted?.term ?? 0) + 1);
  if (resume === 'latest' && noted?.configHash === configHash && goesOnFrom(noted, start))
    return { ...noted, term };
  return { run: randomUUID(), term, configHash, commits: [{ step, chain }], members: [] };
}

/** How newer states than the one that was loaded are looked for, where there may be any. */
export function recoveryOf({ commits, members }: Past, step: number, waitSeconds: number) {
  const tip = commits.at(-1)!.step;
  if (tip <= step) return {};
  return { recovery: { tip, expected: members, waitMs: waitSeconds * 1000, commits } };
}
