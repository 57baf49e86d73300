import { PURPOSE, stream } from '../random/philox.js';
import type { Split } from './dataset.js';

/** Of the set, not of a run: binarised MNIST is the same everywhere. */
const SEED = 0;

/**
 * Static binarisation: each pixel of image i is drawn once and for all as a Bernoulli with its intensity / 255, by the generator's
 * stream of (split, i). Reading an image twice gives the same bits. K = 2.
 *
 * @param number tells splits apart: 0 train, 1 test
 */
export function binarised(split: Split, number: number): Split {
  return {
    count: split.count,
    read(index, into) {
      split.read(index, into);
      const random = stream(SEED, PURPOSE.sample, number, index);
      for (let i = 0; i < into.length; i++) into[i] = random.uniform() * 255 < into[i]! ? 1 : 0;
    },
  };
}
