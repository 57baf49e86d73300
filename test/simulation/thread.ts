import type { SimulatedProcess } from './process.js';

/** A thread of a process: takes messages in order, each a while after it was sent, and so do its answers. */
export class SimulatedThread<In, Out> {
  readonly #process: SimulatedProcess;
  readonly #delay: () => number;
  readonly #work: (message: In, post: (answer: Out) => void) => void;
  readonly #sent: (message: In) => void;
  #listen: (answer: Out) => void = () => undefined;
  #last = 0;

  /**
   * @param delay milliseconds that a message is on its way
   * @param sent hears of each message before it is sent
   */
  constructor(
    process: SimulatedProcess,
    delay: () => number,
    work: (message: In, post: (answer: Out) => void) => void,
    sent: (message: In) => void = () => undefined,
  ) {
    this.#process = process;
    this.#delay = delay;
    this.#work = work;
    this.#sent = sent;
  }

  postMessage(message: In): void {
    this.#sent(message);
    const copy = structuredClone(message);
    this.#later(() =>
      this.#work(copy, (answer) => {
        const copied = structuredClone(answer);
        this.#later(() => this.#listen(copied));
      }),
    );
  }

  /** Of its messages; it never fails by itself. */
  on(event: 'message' | 'error', listen: (value: never) => void): void {
    if (event === 'message') this.#listen = listen as (answer: Out) => void;
  }

  terminate(): Promise<void> {
    return Promise.resolve();
  }

  #later(act: () => void): void {
    const now = this.#process.clock.now();
    this.#last = Math.max(this.#last, now + this.#delay());
    this.#process.after(this.#last - now, act);
  }
}
