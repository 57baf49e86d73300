import { duration, percent, rate } from '../../words.js';
import type { RunView } from '../views.js';
import { byId, timeElement } from './dom.js';
import { fillRows } from './tables.js';

/** A coordinator sees no worker leave that it sends away. */
const ENDED = ['done', 'failed', 'silent'];

/** Who computes: a row a worker. */
export function showWorkers({ workers, progress }: RunView): void {
  const rows = workers.map(({ slot, host, device, pid, joinedAt, live: now }) => [
    String(slot),
    `${host}, pid ${pid}`,
    device,
    now ? stateOf(now.state, now.lag, progress.reason) : ENDED.includes(progress.state) ? 'gone' : 'joined',
    now?.examplesPerSecond === undefined ? '' : `${rate(now.examplesPerSecond)}/s`,
    now?.share === undefined ? '' : percent(now.share),
    now ? `${duration(now.silentSeconds)} ago` : '',
    timeElement(joinedAt),
  ]);
  const nobody = progress.state === 'done' ? 'The run is done: its workers have left.' : 'Nobody is here.';
  fillRows(byId('worker-rows'), rows, progress.reason ? `Nobody is here: ${progress.reason}.` : nobody);
}

/** What it does, and why it waits where it does. */
function stateOf(state: string, lag: number, reason: string | undefined): string {
  if (state !== 'ready') return state;
  if (reason !== undefined) return `waits: ${reason}`;
  return lag > 1 ? `${lag} steps behind` : 'computes';
}
