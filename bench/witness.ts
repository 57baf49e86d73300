import type { Call, Engine, Executable, Program } from '../shared/engine/engine.js';

/** What calls cost that were run once more. */
export interface Repeats {
  seconds: number;
  count: number;
}

/** An engine that runs some calls of its programs a second time, and times that. */
export class Witness implements Engine {
  readonly #engine: Engine;
  #every = 1;
  #numCalls = 0;
  #repeats: Repeats | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get name() {
    return this.#engine.name;
  }

  get provider() {
    return this.#engine.provider;
  }

  get description() {
    return this.#engine.description;
  }

  /** From now on, repeats the first of `every` so many calls. */
  watch(every: number): Repeats {
    this.#every = every;
    this.#numCalls = 0;
    return (this.#repeats = { seconds: 0, count: 0 });
  }

  async compile(program: Program): Promise<Executable> {
    const executable = await this.#engine.compile(program);
    const run = async (call: Call) => {
      await executable.run(call);
      const repeats = this.#repeats;
      if (!repeats || this.#numCalls++ % this.#every !== 0) return;
      repeats.seconds += await secondsOf(() => executable.run(call));
      repeats.count++;
    };
    return { program, run, dispose: () => executable.dispose() };
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }
}

/** Wall time. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
