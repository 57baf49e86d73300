import { UsageError } from '../errors.js';

/**
 * How classes get coarser: `zero` sets digits to zero, `augment` gives each level classes of its own, `augment-text8` tells
 * vowels from consonants.
 */
export type StageMapName = 'zero' | 'augment' | 'augment-text8';

/**
 * The upscale stages of a set of classes (section 2.1). Classes are destroyed in `numStages` steps, down to the absorbing one, and
 * generated in as many stages: stage s turns past(s) = coarsen(x, S - s) into future(s) = coarsen(x, S - 1 - s).
 */
export interface StageMap {
  readonly numStages: number;
  /** K: classes of the data. */
  readonly numClasses: number;
  /** Into how many classes each stage tells a class apart. */
  readonly base: number;
  /** Classes that the network reads, the absorbing one among them. */
  readonly numInputClasses: number;
  readonly absorbing: number;
  /** Class of x, 0..numClasses-1, after r destruction steps, r = 0..numStages. */
  coarsen(x: number, r: number): number;
}

/** Throws UsageError where the base, or for `augment-text8` the number of classes, does not fit. */
export function createStageMap(map: StageMapName, numClasses: number, base: number): StageMap {
  if (map === 'augment-text8') return augmentText8(numClasses, base);
  if (!Number.isInteger(base) || base < 2 || base > numClasses)
    throw new UsageError(
      `Stages of base ${base} do not fit ${numClasses} classes: give a whole base from 2 to ${numClasses}.`,
    );
  const powers = [1];
  while (powers.at(-1)! < numClasses) powers.push(powers.at(-1)! * base);
  return map === 'zero' ? zero(numClasses, base, powers) : augment(numClasses, base, powers);
}

/** Sets the least significant digits to zero: floor(x / b^r) b^r. */
function zero(numClasses: number, base: number, powers: readonly number[]): StageMap {
  return {
    numStages: powers.length - 1,
    numClasses,
    base,
    numInputClasses: numClasses,
    absorbing: 0,
    coarsen: (x, r) => x - (x % powers[r]!),
  };
}

/** Drops the least significant digits: what is left has classes of its own, numbered on from those of the level before. */
function augment(numClasses: number, base: number, powers: readonly number[]): StageMap {
  const begins = [0];
  for (const power of powers) begins.push(begins.at(-1)! + Math.ceil(numClasses / power));
  const numInputClasses = begins.at(-1)!;
  return {
    numStages: powers.length - 1,
    numClasses,
    base,
    numInputClasses,
    absorbing: numInputClasses - 1,
    coarsen: (x, r) => begins[r]! + (x - (x % powers[r]!)) / powers[r]!,
  };
}

/** Tokens of text8: 0 is reserved, 1 the space, 2..27 are a..z. */
const TEXT8 = { numClasses: 28, firstLetter: 2, vowels: new Set([2, 6, 10, 16, 22]) };
const VOWEL = 28;
const CONSONANT = 29;
const ABSORBED = 30;

/** Letters become vowels or consonants (y among them), space and the reserved token stay; then all is absorbed. */
function augmentText8(numClasses: number, base: number): StageMap {
  if (numClasses !== TEXT8.numClasses)
    throw new UsageError(
      `The stages augment-text8 are made for the ${TEXT8.numClasses} classes of text8, not for ${numClasses}: ` +
        'give the stages augment or zero.',
    );
  const kind = (x: number) => (TEXT8.vowels.has(x) ? VOWEL : CONSONANT);
  return {
    numStages: 2,
    numClasses,
    base,
    numInputClasses: ABSORBED + 1,
    absorbing: ABSORBED,
    coarsen: (x, r) => (r === 0 ? x : r === 2 ? ABSORBED : x < TEXT8.firstLetter ? x : kind(x)),
  };
}
