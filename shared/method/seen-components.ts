import { UsageError } from '../errors.js';

/**
 * Loss components to plan by: an unseen step takes the value of the last seen one of its stage before it, else of the first.
 *
 * @throws UsageError where a stage has none
 */
export function seenComponents(components: Float64Array, numStages: number): Float64Array {
  const size = components.length / numStages;
  const known = components.slice();
  for (let stage = 0; stage < numStages; stage++) {
    const part = known.subarray(stage * size, (stage + 1) * size);
    const first = part.findIndex((value) => !Number.isNaN(value));
    if (first < 0)
      throw new UsageError(
        `this run has seen no loss component of stage ${stage + 1} of ${numStages}: train it on, or take --policy naive`,
      );
    let last = part[first]!;
    for (let t = 0; t < size; t++) last = part[t] = Number.isNaN(part[t]) ? last : part[t]!;
  }
  return known;
}
