import type { Random } from './philox.js';

/** Puts the values in a uniformly random order, in place (Fisher and Yates). */
export function shuffle(random: Random, values: Int32Array): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const moved = values[i]!;
    values[i] = values[j]!;
    values[j] = moved;
  }
}
