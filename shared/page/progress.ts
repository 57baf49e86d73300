import { meanPhases, secondsPerStep, type History } from './history.js';
import type { Progress, State } from './views.js';

/** A run that isn't served by its coordinator and has told nothing for so long is no longer there, or hangs. */
const SILENT_MS = 120_000;

/**
 * How far a run is.
 *
 * @param isLive its coordinator asks, so it is there
 * @param now milliseconds since 1970
 */
export function progressOf(history: History, isLive: boolean, now: number): Progress {
  const { start, step, epoch, numLosses, bitsPerDim, tests, lastEventAt } = history;
  const steps = start?.steps ?? step;
  const seconds = secondsPerStep(history);
  const phases = meanPhases(history);
  const state = stateOf(history, steps, isLive || now - (lastEventAt ?? 0) < SILENT_MS);
  const reason = state === 'waiting' ? history.waiting : history.ended && history.reason;
  const test = tests.at(-1);
  const isMoving = state === 'training' && start !== undefined && seconds !== undefined && seconds > 0;
  return {
    ...{ state, step, steps, epoch: Number(epoch.toPrecision(5)) },
    ...(reason !== undefined && { reason }),
    ...(numLosses > 0 && { bitsPerDim: Number(bitsPerDim.toFixed(4)) }),
    ...(test && { testBitsPerDim: test.bitsPerDim }),
    ...(isMoving && {
      examplesPerSecond: Number((start.batch / seconds).toPrecision(4)),
      etaSeconds: Math.round((steps - step) * seconds),
    }),
    ...(phases && { phases }),
    ...(start && { startedAt: start.time }),
    ...(lastEventAt !== undefined && { lastEventAt }),
  };
}

function stateOf({ ended, waiting, step, recent }: History, steps: number, isThere: boolean): State {
  if (ended === 'done' || ended === 'failed') return ended;
  if (!isThere) return 'silent';
  if (ended) return ended;
  if (waiting !== undefined) return 'waiting';
  if (step === steps && step > 0) return 'finishing';
  return recent.length > 0 ? 'training' : 'starting';
}
