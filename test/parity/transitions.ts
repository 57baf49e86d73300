import { createStageMap, type StageMap, type StageMapName } from '../../shared/method/stages.js';
import type { Fixture } from './fixture.js';

/** The original's names of the maps. */
const MAPS: Readonly<Record<string, StageMapName>> = {
  zero: 'zero',
  augment: 'augment',
  text8: 'augment-text8',
};

/** Kind `transitions`: the upscale maps, by the name, the number of classes and the base in the name of a tensor. */
export function checkTransitions(fixture: Fixture): void {
  for (const name of fixture.names()) {
    const [, map, numClasses, base, what] = /^out\/(\w+)_K(\d+)_b(\d+)\/(\w+)$/.exec(name) ?? [];
    const stages = createStageMap(MAPS[map!]!, Number(numClasses), Number(base));
    fixture.compareExactly(name, valuesOf(stages, what!, fixture.ints(name)));
  }
}

function valuesOf(stages: StageMap, what: string, recorded: Int32Array): number[] {
  if (what === 'absorbing_state') return [stages.absorbing];
  if (what === 'num_input_classes') return [stages.numInputClasses];
  if (what === 'cum_class_map') return cumulativeMap(stages, recorded);
  return transitions(stages, Number(/^T(\d+)_out_in_pairs$/.exec(what)?.[1]));
}

/**
 * [numStages + 1, numInputClasses]: where each class of the data is after each number of destruction steps. The columns of the
 * other classes are as recorded: no data are there.
 */
function cumulativeMap({ numClasses, numInputClasses, coarsen }: StageMap, recorded: Int32Array): number[] {
  return Array.from(recorded, (other, i) => {
    const x = i % numInputClasses;
    return x < numClasses ? coarsen(x, Math.floor(i / numInputClasses)) : other;
  });
}

/** The (out, in) pairs of destruction step r, over what is possible before it; by out, then in. */
function transitions({ numClasses, coarsen }: StageMap, r: number): number[] {
  const pairs = new Map<number, number>();
  for (let x = 0; x < numClasses; x++) pairs.set(coarsen(x, r), coarsen(x, r + 1));
  return [...pairs]
    .map(([from, to]) => [to, from] as const)
    .sort(([to, from], [otherTo, otherFrom]) => to - otherTo || from - otherFrom)
    .flat();
}
