import type { Work } from './events.js';

/** What one step's event tells of, at most. */
const MAX_WORK = 1024;

interface Dealt {
  readonly slot: number;
  readonly begin: number;
  readonly end: number;
  readonly at: number;
}

interface StepWork {
  readonly dealt: Dealt[];
  /** Sums that arrived: of `dealt`, or of a part of it. */
  readonly sums: (Dealt & { readonly dealtAt: number })[];
}

/** When each worker was dealt its slices, and when their sums came. All times are milliseconds of one clock. */
export class WorkTimes {
  readonly #steps = new Map<number, StepWork>();

  deal(step: number, slot: number, begin: number, end: number, at: number): void {
    const work = this.#steps.get(step) ?? { dealt: [], sums: [] };
    this.#steps.set(step, work);
    work.dealt.push({ slot, begin, end, at });
  }

  /** The sum over some of a worker's slices is there. */
  arrive(step: number, slot: number, begin: number, end: number, at: number): void {
    const work = this.#steps.get(step);
    const dealt = work?.dealt.findLast(
      (other) => other.slot === slot && other.begin <= begin && end <= other.end,
    );
    if (dealt && work!.sums.length < MAX_WORK) work!.sums.push({ slot, begin, end, at, dealtAt: dealt.at });
  }

  /** What was told of a step that began at `startedAt`, which is forgotten, in the order of the sums' arrival. */
  take(step: number, startedAt: number): Work[] {
    const sums = this.#steps.get(step)?.sums ?? [];
    for (const other of this.#steps.keys()) if (other <= step) this.#steps.delete(other);
    const seconds = (at: number) => Number(((at - startedAt) / 1000).toFixed(4));
    const free = new Map<number, number>();
    return sums.map(({ slot, begin, end, at, dealtAt }) => {
      const from = Math.max(dealtAt, startedAt, free.get(slot) ?? -Infinity);
      free.set(slot, at);
      return { slot, begin, end, dealt: seconds(dealtAt), from: seconds(from), to: seconds(at) };
    });
  }
}
