import { boundOf, type Process } from './bound.js';

/** Weight of a new observation. */
const RATE = 0.05;

/**
 * The loss components (section 3.1): for each time step a moving average of -elboOfT over the training examples seen there,
 * bits per dimension. Their sum estimates the negative bound; a policy for a budget is planned on them.
 */
export class LossTracker {
  readonly #values: Float64Array;

  /** @param values one a time step, NaN where none was seen: what is observed is written there */
  constructor(values: Float64Array) {
    this.#values = values;
  }

  /** The first value at a time step is taken as it is. */
  observe(timeStep: number, value: number): void {
    const previous = this.#values[timeStep]!;
    this.#values[timeStep] = Number.isNaN(previous) ? value : (1 - RATE) * previous + RATE * value;
  }

  /** Observes a batch's examples one after another: in float64 and in this order, so the same bits come out everywhere. */
  observeBatch(timeSteps: ArrayLike<number>, logLikelihoods: ArrayLike<number>, process: Process): void {
    for (let i = 0; i < timeSteps.length; i++) {
      const timeStep = timeSteps[i]!;
      this.observe(timeStep, -boundOf(logLikelihoods[i]!, timeStep, process).elboOfT);
    }
  }

  /** One value a time step; where none was seen, that of a uniform model of 8 bits. */
  components(): Float64Array {
    return this.#values.map((value) => (Number.isNaN(value) ? 8 / this.#values.length : value));
  }
}
