import { UsageError } from '../errors.js';

/**
 * Loss components to plan by: an unseen step takes the value of the last seen one of its stage before it, else of the first.
 *
 * @throws UsageError where a stage has none
 */
export function seenComponents(components: Float64Array, numStages: number): Float64Array {
  const known = components.slice();
  stagesOf(known, numStages).forEach((part, stage) => {
    const first = part.find((value) => !Number.isNaN(value));
    if (first === undefined)
      throw new UsageError(
        `this run has seen no loss component of stage ${stage + 1} of ${numStages}: train it on, or take --policy naive`,
      );
    let last = first;
    for (let t = 0; t < part.length; t++) last = part[t] = Number.isNaN(part[t]) ? last : part[t]!;
  });
  return known;
}

/** Whether there is something to plan by: a component of every stage. */
export function hasSeenEveryStage(components: Float64Array, numStages: number): boolean {
  return stagesOf(components, numStages).every((part) => part.some((value) => !Number.isNaN(value)));
}

function stagesOf(components: Float64Array, numStages: number): Float64Array[] {
  const size = components.length / numStages;
  return Array.from({ length: numStages }, (_, stage) =>
    components.subarray(stage * size, (stage + 1) * size),
  );
}
