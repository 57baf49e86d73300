import { beginning, readLines } from '../shared/page/event-lines.js';
import { LoggedEvent } from '../shared/page/logged-event.js';

/** Bits per dimension of the best evaluation that an event log tells of since the run's step 0; undefined where there is none. */
export async function bestEvaluation(log: string): Promise<number | undefined> {
  let best: number | undefined;
  const take = (line: string) => {
    // A million lines are looked through in a second, and parsed in ten.
    if (!line.includes('"event":"evaluation"') && !line.includes('"event":"start"')) return;
    const event = LoggedEvent.parse(line);
    if (event?.event === 'start' && event.step === 0) best = undefined;
    const found = event?.event === 'evaluation' ? event.number('bitsPerDim') : undefined;
    if (found !== undefined) best = Math.min(best ?? Infinity, found);
  };
  // Without a log there was no run before.
  await readLines(log, beginning(), take, () => undefined).catch(() => undefined);
  return best;
}
