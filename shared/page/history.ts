import { addStep, createCurve, type Curve } from './curve.js';
import { describeEvent, type LoggedEvent } from './logged-event.js';
import { PHASES, type CheckpointView, type EventView, type Phases, type TestView } from './views.js';

/** Steps whose median time gives rate and ETA: long enough to be steady, robust to an evaluation in between. */
const RATE_WINDOW = 21;
/** The loss is the mean of the first so many steps, then a moving average as long. */
const LOSS_WINDOW = 50;
const MAX_TESTS = 1000;
const MAX_CHECKPOINTS = 50;
const MAX_EVENTS = 200;

/** A run in so little memory that a million steps take no more than a thousand: made of its events alone. Plain data. */
export interface History {
  /** Of the last start. */
  start?: {
    run: string;
    version: string;
    numParameters: number;
    steps: number;
    batch: number;
    slices: number;
    time: number;
  };
  ended?: 'stopping' | 'done' | 'failed';
  waiting?: string;
  /** Why it stops or failed. */
  reason?: string;
  step: number;
  epoch: number;
  lastEventAt?: number;
  bitsPerDim: number;
  /** Steps in that mean, no more than its window. */
  numLosses: number;
  /** Of the last steps of this process. */
  readonly recent: { seconds: number; phases: Phases }[];
  readonly curve: Curve;
  readonly tests: TestView[];
  /** Oldest first. */
  readonly checkpoints: CheckpointView[];
  readonly events: EventView[];
  numEvents: number;
  numDamaged: number;
  /** Who is there, by slot. */
  readonly workers: { slot: number; host: string; device: string; pid: number; joinedAt: number }[];
}

export function createHistory(): History {
  return {
    step: 0,
    epoch: 0,
    bitsPerDim: 0,
    numLosses: 0,
    recent: [],
    curve: createCurve(),
    tests: [],
    checkpoints: [],
    events: [],
    numEvents: 0,
    numDamaged: 0,
    workers: [],
  };
}

/** Takes in the next event of the log, of this version or another: what is missing in it is passed over. */
export function observe(history: History, event: LoggedEvent): void {
  history.lastEventAt = event.time;
  if (event.event === 'step') return observeStep(history, event);
  history.numEvents++;
  const { time, step } = event;
  push(history.events, { time, step, event: event.event, text: describeEvent(event) }, MAX_EVENTS);
  const number = (name: string) => event.number(name) ?? 0;
  const text = (name: string) => event.text(name) ?? '';
  const isAt = (slot: number) => history.workers.findIndex((worker) => worker.slot === slot);
  switch (event.event) {
    case 'start':
      history.step = step;
      history.start = {
        ...{ run: text('run'), version: text('version'), time, numParameters: number('numParameters') },
        ...{ steps: number('steps'), batch: number('batch'), slices: number('slices') },
      };
      history.ended = history.waiting = history.reason = undefined;
      history.recent.length = history.workers.length = 0;
      break;
    case 'resume':
    case 'recovered':
      history.step = step;
      break;
    case 'waiting':
      history.waiting = text('reason');
      break;
    case 'join': {
      // Where it was not the last one missing, a new reason follows.
      history.waiting = undefined;
      const slot = number('slot');
      if (isAt(slot) >= 0) history.workers.splice(isAt(slot), 1);
      history.workers.push({
        ...{ slot, host: text('host'), device: text('device'), pid: number('pid'), joinedAt: time },
      });
      history.workers.sort((a, b) => a.slot - b.slot);
      break;
    }
    case 'leave': {
      const at = isAt(number('slot'));
      if (at >= 0) history.workers.splice(at, 1);
      break;
    }
    case 'evaluation': {
      const bitsPerDim = event.number('bitsPerDim');
      if (bitsPerDim === undefined) break;
      forgetTests(history, step);
      history.tests.push({ step, bitsPerDim, standardError: number('standardError') });
      if (history.tests.length > MAX_TESTS) thin(history.tests);
      break;
    }
    case 'checkpoint':
      push(
        history.checkpoints,
        {
          ...{ step, time, name: text('path').split(/[\\/]/).at(-1)!, bytes: number('bytes') },
          ...{ seconds: number('seconds'), snapshotSeconds: number('snapshotSeconds') },
        },
        MAX_CHECKPOINTS,
      );
      break;
    case 'stopping':
    case 'done':
    case 'failed':
      history.ended = event.event;
      history.reason = event.text('reason');
      break;
  }
}

function observeStep(history: History, event: LoggedEvent): void {
  const bitsPerDim = event.number('bitsPerDim');
  const seconds = event.number('seconds');
  if (bitsPerDim === undefined || seconds === undefined) return void history.numDamaged++;
  const { step } = event;
  if (step <= (history.curve.steps.at(-1) ?? 0)) forgetTests(history, step);
  history.step = step;
  history.waiting = undefined;
  history.epoch = event.number('epoch') ?? history.epoch;
  history.numLosses = Math.min(history.numLosses + 1, LOSS_WINDOW);
  history.bitsPerDim += (bitsPerDim - history.bitsPerDim) / history.numLosses;
  addStep(history.curve, {
    ...{ step, bitsPerDim, seconds },
    gradientNorm: event.number('gradientNorm') ?? 0,
    learningRate: event.number('learningRate') ?? 0,
  });
  push(history.recent, { seconds, phases: event.phases() }, RATE_WINDOW);
}

/** Steps from `step` on are trained again. */
function forgetTests({ tests }: History, step: number): void {
  const kept = tests.findIndex((test) => test.step >= step);
  if (kept >= 0) tests.length = kept;
}

/** Seconds a step: the median of the last ones. Undefined before the first. */
export function secondsPerStep({ recent }: History): number | undefined {
  return recent.map(({ seconds }) => seconds).sort((a, b) => a - b)[recent.length >> 1];
}

/** The mean phases of the last steps. */
export function meanPhases({ recent }: History): Phases | undefined {
  if (recent.length === 0) return undefined;
  const mean = (phase: (typeof PHASES)[number]) =>
    Number((recent.reduce((sum, { phases }) => sum + phases[phase], 0) / recent.length).toPrecision(4));
  return Object.fromEntries(PHASES.map((phase) => [phase, mean(phase)])) as unknown as Phases;
}

function push<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}

/** Every other one goes, but never the last. */
function thin(tests: TestView[]): void {
  const kept = tests.filter((_, i) => (tests.length - 1 - i) % 2 === 0);
  tests.splice(0, tests.length, ...kept);
}
