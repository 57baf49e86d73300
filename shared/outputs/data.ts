import type { StageMap } from '../method/stages.js';
import { STAGE_FLOOR } from '../networks/plain-ops.js';
import { drawChoice, indexOf, type Output, type Place } from './output.js';

/**
 * A categorical distribution over the final class, from which that of each stage's class follows (data parametrisation, section 2.2):
 * the mass of the classes that it leads to over that of all that are left. No K x K matrix is built: a class belongs to the one that it
 * is coarsened to.
 */
export function dataOutput(numChannels: number, map: StageMap): Output {
  const { numClasses, numStages, numInputClasses } = map;
  const numOutputs = numChannels * numClasses;
  const level = (r: number) => Int32Array.from({ length: numClasses }, (_, k) => map.coarsen(k, r));
  /** For each stage, the class that each final class is coarsened to after it and before it. */
  const children = Array.from({ length: numStages }, (_, stage) => level(numStages - 1 - stage));
  const parents = Array.from({ length: numStages }, (_, stage) => level(numStages - stage));
  const counts = children.map((child, stage) => countSiblings(child, parents[stage]!));
  const probabilities = new Float64Array(numClasses);
  const choices = new Float64Array(numInputClasses);

  function logProbabilities(outputs: Float32Array, place: Place, into: Float64Array): Float64Array {
    const { stage, past } = place;
    softmax(outputs, place, probabilities, numOutputs);
    into.fill(-Infinity);
    let total = counts[stage]!.get(past)! * STAGE_FLOOR;
    for (let k = 0; k < numClasses; k++) {
      if (parents[stage]![k] !== past) continue;
      const child = children[stage]![k]!;
      if (into[child] === -Infinity) into[child] = STAGE_FLOOR;
      into[child]! += probabilities[k]!;
      total += probabilities[k]!;
    }
    for (let id = 0; id < numInputClasses; id++) if (into[id]! > 0) into[id] = Math.log(into[id]! / total);
    return into;
  }

  return {
    numOutputs,
    variableInputs: [
      { name: 'target', dtype: 'int32', valueOf: (x, stage) => children[stage]![x]! },
      { name: 'within', dtype: 'int32', valueOf: (x, stage) => parents[stage]![x]! },
      {
        name: 'siblings',
        dtype: 'float32',
        valueOf: (x, stage) => counts[stage]!.get(parents[stage]![x]!)!,
      },
    ],
    exampleInputs: (batch) => [
      { name: 'children', dtype: 'float32', shape: [batch, numClasses] },
      { name: 'parents', dtype: 'float32', shape: [batch, numClasses] },
    ],
    setExample(arrays, row, stage) {
      arrays.children!.set(children[stage]!, row * numClasses);
      arrays.parents!.set(parents[stage]!, row * numClasses);
    },
    logLikelihood: (ops, outputs, { target, within, siblings, children, parents, scored }) =>
      ops.stageLogLikelihood(
        outputs,
        { target: target!, within: within!, siblings: siblings!, children: children!, parents: parents! },
        scored!,
      ),
    numChoices: numInputClasses,
    logProbabilities,
    classOf: (choice) => choice,
    draw(outputs, places, noise, classes) {
      places.forEach((place, nth) => {
        logProbabilities(outputs, place, choices);
        classes[nth] = drawChoice(choices, (k, least) => noise.gumbel(k, least));
      });
    },
  };
}

/** How many classes of a stage each class of the stage before may become. */
function countSiblings(child: Int32Array, parent: Int32Array): ReadonlyMap<number, number> {
  const children = new Map<number, Set<number>>();
  parent.forEach((of, k) => children.set(of, (children.get(of) ?? new Set()).add(child[k]!)));
  return new Map([...children].map(([of, set]) => [of, set.size]));
}

function softmax(outputs: Float32Array, place: Place, into: Float64Array, numOutputs: number): void {
  const offset = indexOf(place, numOutputs, place.channel * into.length);
  const stride = place.numLocations;
  let largest = -Infinity;
  for (let k = 0; k < into.length; k++) largest = Math.max(largest, outputs[offset + k * stride]!);
  let sum = 0;
  for (let k = 0; k < into.length; k++) sum += into[k] = Math.exp(outputs[offset + k * stride]! - largest);
  for (let k = 0; k < into.length; k++) into[k]! /= sum;
}
