import type { LoggedEvent } from '../shared/page/logged-event.js';
import { describeEvent } from '../shared/page/logged-event.js';
import { stepTimes } from '../shared/timeline/step-times.js';

/** An event of the Trace Event Format, which Perfetto and chrome://tracing read. Times are microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'i' | 'C' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  /** Of an instant: it is its track's. */
  readonly s?: 't';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Steps to be drawn, both included. */
export interface StepRange {
  readonly first: number;
  readonly last: number;
}

const [COORDINATOR, WORKERS] = [1, 2];
/** Tracks are threads to a viewer: one whose number is that of its process would be called its main thread. */
const [FIRST_TRACK, FIRST_WORKER] = [10, 100];
/** The coordinator's tracks, from top to bottom. */
const TRACKS = ['steps', 'phases', 'publication', 'evaluation', 'samples', 'checkpoints', 'events'] as const;
type Track = (typeof TRACKS)[number];
const trackOf: Readonly<Record<string, Track>> = {
  ...{ evaluation: 'evaluation', samples: 'samples', checkpoint: 'checkpoints' },
};

/** Draws a run's events as tracks of the coordinator and of each slot. Takes them in the order of the log. */
export class Timeline {
  readonly #range: StepRange;
  /** The first event's time, where the timeline begins. */
  #origin: number | undefined;
  /** Where each track is drawn to: what overlaps a little, since clocks are read one after another, begins there. */
  readonly #ends = new Map<string, number>();
  readonly #workers = new Map<number, string>();
  numSteps = 0;
  /** Whether the log has times by worker. */
  hasWork = false;

  constructor(range: StepRange) {
    this.#range = range;
  }

  /** What is to be drawn of an event. */
  take(event: LoggedEvent): TraceEvent[] {
    const slot = event.number('slot');
    if (event.event === 'join' && slot !== undefined)
      this.#workers.set(slot, `worker ${slot}: ${event.text('host')}, ${event.text('device')}`);
    const { first, last } = this.#range;
    // What else happens carries the number of steps that were committed by then.
    const begin = event.event === 'step' ? first : first - 1;
    if (event.step < begin || event.step > last) return [];
    const seconds = event.number('seconds');
    if (event.event === 'step') return seconds === undefined ? [] : this.#step(event, seconds);
    const track = trackOf[event.event];
    this.#origin ??= event.time - 1000 * (track ? (seconds ?? 0) : 0);
    const args = { step: event.step, what: describeEvent(event) };
    if (track && seconds !== undefined)
      return [
        this.#slice(COORDINATOR, idOf(track), event.event, event.time - 1000 * seconds, event.time, args),
      ];
    const isOfWorker = slot !== undefined && slot >= 0 && event.event !== 'restart';
    const at = isOfWorker ? { pid: WORKERS, tid: idOfSlot(slot) } : { pid: COORDINATOR, tid: idOf('events') };
    return [{ name: event.event, ph: 'i', ...at, ts: this.#microseconds(event.time), s: 't', args }];
  }

  /** Names and order of the tracks that were drawn. */
  names(): TraceEvent[] {
    const name = (pid: number, tid: number, name: string, args: TraceEvent['args']): TraceEvent => ({
      ...{ name, ph: 'M', pid, tid, args },
    });
    const track = (pid: number, tid: number, title: string) => [
      name(pid, tid, 'thread_name', { name: title }),
      name(pid, tid, 'thread_sort_index', { sort_index: tid }),
    ];
    return [
      name(COORDINATOR, 0, 'process_name', { name: 'coordinator' }),
      name(WORKERS, 0, 'process_name', { name: 'workers' }),
      ...TRACKS.flatMap((title) => track(COORDINATOR, idOf(title), title)),
      ...[...this.#workers].flatMap(([slot, title]) => track(WORKERS, idOfSlot(slot), title)),
    ];
  }

  #step(event: LoggedEvent, seconds: number): TraceEvent[] {
    this.numSteps++;
    const { begin, decided, phases } = stepTimes(seconds, event.phases(), event.time);
    this.#origin ??= begin;
    const { step } = event;
    const bitsPerDim = event.number('bitsPerDim');
    const events = [
      this.#slice(COORDINATOR, idOf('steps'), `step ${step}`, begin, decided, { step, bitsPerDim }),
      ...phases.map((phase) => {
        const track = idOf(phase.name === 'publish' ? 'publication' : 'phases');
        return this.#slice(COORDINATOR, track, phase.name, phase.begin, phase.end, { step });
      }),
      ...[...this.#work(event, begin)],
    ];
    const curve = (name: string, args: Readonly<Record<string, number>>) =>
      events.push({ name, ph: 'C', pid: COORDINATOR, tid: 0, ts: this.#microseconds(decided), args });
    const members = event.number('members');
    if (bitsPerDim !== undefined) curve('training', { 'bits/dim': bitsPerDim });
    if (members !== undefined) curve('connected', { workers: members });
    return events;
  }

  *#work(event: LoggedEvent, stepBegin: number): Generator<TraceEvent> {
    for (const work of event.list('work')) {
      const { slot, begin, end, dealt, from, to } = work;
      if (![slot, begin, end, dealt, from, to].every(Number.isFinite)) continue;
      this.hasWork = true;
      const at = (second: number) => stepBegin + 1000 * second;
      const args = {
        step: event.step,
        slices: `${begin} to ${end! - 1}`,
        dealtSecondsBefore: from! - dealt!,
      };
      yield this.#slice(WORKERS, idOfSlot(slot!), `step ${event.step}`, at(from!), at(to!), args);
    }
  }

  #slice(
    pid: number,
    tid: number,
    name: string,
    begin: number,
    end: number,
    args: TraceEvent['args'],
  ): TraceEvent {
    const track = `${pid}/${tid}`;
    const ts = Math.max(this.#microseconds(begin), this.#ends.get(track) ?? 0);
    const dur = Math.max(0, this.#microseconds(end) - ts);
    this.#ends.set(track, ts + dur);
    return { name, ph: 'X', pid, tid, ts, dur, args };
  }

  #microseconds(time: number): number {
    return Math.max(0, Math.round(1000 * (time - this.#origin!)));
  }
}

const idOf = (track: Track) => FIRST_TRACK + TRACKS.indexOf(track);
const idOfSlot = (slot: number) => FIRST_WORKER + slot;
