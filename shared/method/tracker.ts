/** Weight of a new observation. */
const RATE = 0.05;

/**
 * The loss components (section 3.1): for each time step a moving average of -elboOfT over the training examples seen there,
 * bits per dimension. Their sum estimates the negative bound; a policy for a budget is planned on them.
 */
export class LossTracker {
  readonly #values: Float64Array;
  readonly #seen: Uint8Array;

  constructor(numSteps: number) {
    this.#values = new Float64Array(numSteps);
    this.#seen = new Uint8Array(numSteps);
  }

  /** The first value at a time step is taken as it is. */
  observe(timeStep: number, value: number): void {
    const previous = this.#values[timeStep]!;
    this.#values[timeStep] = this.#seen[timeStep] ? (1 - RATE) * previous + RATE * value : value;
    this.#seen[timeStep] = 1;
  }

  /** One value a time step; where none was seen, that of a uniform model of 8 bits. */
  components(): Float64Array {
    return this.#values.map((value, t) => (this.#seen[t] ? value : 8 / this.#values.length));
  }
}
