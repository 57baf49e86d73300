import type { Colors } from 'picocolors/types.js';
import { clean, count, duration } from './event-text.js';
import type { RunEvent } from './events.js';

/** Steps whose median time gives rate and ETA: long enough to be steady, robust to an evaluation in between. */
const RATE_WINDOW = 21;
/** The loss is the mean of the first so many steps, then a moving average as long. */
const LOSS_WINDOW = 50;

/** How the run goes, out of its events. */
export class Pulse {
  steps = 0;
  #batch = 0;
  #step = 0;
  #members = 0;
  #waiting: string | undefined;
  #stopping = false;
  #loss = 0;
  #numLosses = 0;
  #testLoss: number | undefined;
  readonly #seconds: number[] = [];

  feel(event: RunEvent): void {
    switch (event.event) {
      case 'start':
        this.steps = event.steps;
        this.#batch = event.batch;
        this.#step = event.step;
        break;
      case 'waiting':
        this.#waiting = event.reason;
        break;
      case 'join':
        // Where it was not the last one missing, a new reason follows.
        this.#waiting = undefined;
        this.#members++;
        break;
      case 'leave':
        this.#members = event.members;
        break;
      case 'step':
        this.#waiting = undefined;
        this.#step = event.step;
        this.#members = event.members;
        this.#loss += (event.bitsPerDim - this.#loss) / Math.min(++this.#numLosses, LOSS_WINDOW);
        if (this.#seconds.push(event.seconds) > RATE_WINDOW) this.#seconds.shift();
        break;
      case 'evaluation':
        this.#testLoss = event.bitsPerDim;
        break;
      case 'stopping':
        this.#stopping = true;
        break;
    }
  }

  /** The status, its most important part first. */
  parts({ bold, yellow }: Colors): string[] {
    const share = this.steps > 0 ? ` (${Math.floor((100 * this.#step) / this.steps)}%)` : '';
    const parts = [`step ${this.#step}/${this.steps}${share}`];
    if (this.#stopping) return [...parts, yellow('stopping')];
    if (this.#waiting !== undefined) return [...parts, yellow(clean(`waiting: ${this.#waiting}`))];
    if (this.#numLosses > 0) parts.push(bold(`${this.#loss.toFixed(3)} bits/dim`));
    if (this.#step === this.steps) return [...parts, 'evaluating and sampling'];
    const seconds = median(this.#seconds);
    if (seconds > 0) parts.push(`${precise(this.#batch / seconds)} examples/s`);
    if (seconds > 0) parts.push(`ETA ${duration((this.steps - this.#step) * seconds)}`);
    parts.push(count(this.#members, 'worker'));
    return parts;
  }

  /** What the end of the run is told with. */
  finalLoss(): string {
    return this.#testLoss === undefined ? '' : `, test ${this.#testLoss.toFixed(4)} bits/dim`;
  }
}

/** 0 of none. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Two digits below ten, whole numbers above. */
function precise(value: number): string {
  return value < 10 ? value.toPrecision(2) : value.toFixed(0);
}
