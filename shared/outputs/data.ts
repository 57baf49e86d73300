import type { StageMap } from '../method/stages.js';
import { STAGE_FLOOR } from '../networks/plain-ops.js';
import { exponentialsOf } from './exponentials.js';
import { MassTable } from './mass-table.js';
import { drawChoice, indexOf, type Output, type Place } from './output.js';

/** What a class of a stage may become in the next. */
interface Family {
  /** Classes, in increasing order. */
  readonly children: readonly number[];
  /** Final classes below it. */
  readonly leaves: readonly number[];
  /** For each of these which child it is below. */
  readonly numbers: readonly number[];
}

const sizeOf = ({ children }: Family) => children.length;

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
  const families = children.map((child, stage) => familiesOf(child, parents[stage]!));
  const mostChildren = Math.max(...families.flatMap((of) => [...of.values()].map(sizeOf)));
  /** Of the variable that was read last, what it may become, and the masses of these up to a common factor. */
  let family: Family;
  const masses = new Float64Array(mostChildren);
  const table = new MassTable(mostChildren, {
    classOf: (n) => family.children[n]!,
    indexOf: (x) => family.children.indexOf(x),
  });
  const choices = new Float64Array(numInputClasses);

  function read(outputs: Float32Array, place: Place): void {
    family = families[place.stage]!.get(place.past)!;
    const offset = indexOf(place, numOutputs, place.channel * numClasses);
    const leafMasses = exponentialsOf(outputs, offset, place.numLocations, numClasses);
    let sum = 0;
    for (let k = 0; k < numClasses; k++) sum += leafMasses[k]!;
    masses.fill(STAGE_FLOOR * sum, 0, family.children.length);
    family.leaves.forEach((k, i) => (masses[family.numbers[i]!]! += leafMasses[k]!));
  }

  function logProbabilities(outputs: Float32Array, place: Place, into: Float64Array): Float64Array {
    read(outputs, place);
    const { children } = family;
    const total = children.reduce((sum, _, n) => sum + masses[n]!, 0);
    into.fill(-Infinity);
    children.forEach((child, n) => (into[child] = Math.log(masses[n]! / total)));
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
        valueOf: (x, stage) => sizeOf(families[stage]!.get(parents[stage]![x]!)!),
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
    cumulative(outputs, place) {
      read(outputs, place);
      return table.of(masses, family.children.length);
    },
    draw(outputs, places, noise, classes) {
      places.forEach((place, nth) => {
        logProbabilities(outputs, place, choices);
        classes[nth] = drawChoice(choices, (k, least) => noise.gumbel(k, least));
      });
    },
  };
}

/** For each class of the stage before, what it may become. */
function familiesOf(child: Int32Array, parent: Int32Array): ReadonlyMap<number, Family> {
  const leaves = new Map<number, number[]>();
  parent.forEach((of, k) => {
    const ks = leaves.get(of);
    if (ks) ks.push(k);
    else leaves.set(of, [k]);
  });
  const familyOf = (ks: readonly number[]): Family => {
    const children = [...new Set(ks.map((k) => child[k]!))].sort((a, b) => a - b);
    const numbers = new Map(children.map((of, n) => [of, n]));
    return { children, leaves: ks, numbers: ks.map((k) => numbers.get(child[k]!)!) };
  };
  return new Map([...leaves].map(([of, ks]) => [of, familyOf(ks)]));
}
