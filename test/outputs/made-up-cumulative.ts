import { createStageMap } from '../../shared/method/stages.js';
import type { Cumulative } from '../../shared/outputs/cumulative.js';
import { dataOutput } from '../../shared/outputs/data.js';
import { directOutput } from '../../shared/outputs/direct.js';
import { logisticOutput } from '../../shared/outputs/logistic.js';
import { logisticRgbOutput } from '../../shared/outputs/logistic-rgb.js';
import type { Output, Place } from '../../shared/outputs/output.js';
import { softmaxOutput } from '../../shared/outputs/softmax.js';
import { stream } from '../../shared/random/philox.js';
import { placeAt } from './made-up.js';

export interface Case {
  readonly output: Output;
  readonly place: Place;
}

const augmented = createStageMap('augment', 256, 4);
const text8 = createStageMap('augment-text8', 28, 2);

/** A variable of each kind of output, of 256 classes or fewer. */
export const CASES: Readonly<Record<string, Case>> = {
  softmax: { output: softmaxOutput(2, 256), place: placeAt({ channel: 1 }) },
  'data, first stage': { output: dataOutput(1, augmented), place: placeAt({ past: augmented.absorbing }) },
  'data, later stage': {
    output: dataOutput(1, augmented),
    place: placeAt({ stage: 2, past: augmented.coarsen(99, 2) }),
  },
  'data, letters': { output: dataOutput(1, text8), place: placeAt({ past: text8.absorbing }) },
  'data, vowels': {
    output: dataOutput(1, text8),
    place: placeAt({ stage: 1, past: text8.coarsen(2, 1) }),
  },
  direct: { output: directOutput(2, 2, 16), place: placeAt({ channel: 1, stage: 1, past: 48 }) },
  logistic: { output: logisticOutput(2, 256, 5, 'exact'), place: placeAt({ channel: 1 }) },
  'logistic, original edges': { output: logisticOutput(1, 256, 5, 'original'), place: placeAt() },
  'logistic RGB, red': { output: logisticRgbOutput(256, 5, 'exact'), place: placeAt({ earlier: [] }) },
  'logistic RGB, blue': {
    output: logisticRgbOutput(256, 5, 'exact'),
    place: placeAt({ channel: 2, earlier: [250, 3] }),
  },
};

/** And of 65,536. */
export const CASES_OF_16_BITS: Readonly<Record<string, Case>> = {
  softmax: { output: softmaxOutput(1, 65_536), place: placeAt() },
  logistic: { output: logisticOutput(1, 65_536, 30, 'exact'), place: placeAt() },
  'logistic, original edges': { output: logisticOutput(1, 65_536, 30, 'original'), place: placeAt() },
};

/** Outputs that make flat distributions, sharp ones and such whose tails are far away. */
export const SCALES = [0, 1, 5, 40, 1000];

/** Network outputs in (-2, 2) times the scale, the same bits everywhere. */
export function uniformOutputs({ output }: Case, scale: number, seed = 0): Float32Array {
  const random = stream(seed, 0);
  return Float32Array.from({ length: output.numOutputs }, () => scale * (4 * random.inside() - 2));
}

/** What share each class has. */
export function sharesOf({ count, at }: Cumulative): Float64Array {
  return Float64Array.from({ length: count }, (_, n) => at(n + 1) - at(n));
}
