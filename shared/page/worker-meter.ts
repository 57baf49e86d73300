import type { LiveMember, WorkerLive } from './views.js';

const WINDOW_MS = 30_000;

interface Sample {
  readonly time: number;
  readonly slices: ReadonlyMap<number, number>;
}

/** How fast each worker is, out of what it has sent by now and by half a minute ago. */
export class WorkerMeter {
  readonly #samples: Sample[] = [];

  /** @param time milliseconds, rising */
  take(members: readonly LiveMember[], time: number): void {
    this.#samples.push({ time, slices: new Map(members.map(({ slot, slices }) => [slot, slices])) });
    while (this.#samples.length > 2 && this.#samples[1]!.time <= time - WINDOW_MS) this.#samples.shift();
  }

  /** @param sliceExamples examples of a slice */
  read(members: readonly LiveMember[], committed: number, sliceExamples: number): WorkerLive[] {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first && last ? (last.time - first.time) / 1000 : 0;
    // One that joined in between, or anew in the same slot, counts from then on.
    const sent = ({ slot }: LiveMember) => {
      const now = last?.slices.get(slot) ?? 0;
      const before = first?.slices.get(slot) ?? 0;
      return now >= before ? now - before : now;
    };
    const total = members.reduce((sum, member) => sum + sent(member), 0);
    return members
      .map((member) => ({
        slot: member.slot,
        state: member.ready ? ('ready' as const) : ('receiving the state' as const),
        lag: member.ready ? committed - member.step : 0,
        silentSeconds: Number(member.silentSeconds.toFixed(1)),
        ...(seconds > 0 && {
          examplesPerSecond: Number(((sent(member) * sliceExamples) / seconds).toPrecision(3)),
        }),
        ...(total > 0 && { share: Number((sent(member) / total).toFixed(3)) }),
      }))
      .sort((a, b) => a.slot - b.slot);
  }
}
