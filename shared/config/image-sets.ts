import type { PublishedSet } from './sets.js';

const digits = { shape: [28, 28, 1], numTrain: 60_000, numTest: 10_000 } as const;

/** The published sets of images, which have one shape. */
export const imageSets = {
  mnist: { ...digits, numClasses: 256 },
  'fashion-mnist': { ...digits, numClasses: 256 },
  'binarised-mnist': { ...digits, numClasses: 2 },
  cifar10: { shape: [32, 32, 3], numClasses: 256, numTrain: 50_000, numTest: 10_000 },
} as const satisfies Record<string, PublishedSet>;
