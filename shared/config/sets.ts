import type { Config } from './schema.js';

/** What is known of a published data set without having it. */
export interface PublishedSet {
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  readonly numTrain: number;
  readonly numTest: number;
}

const digits = { shape: [28, 28, 1], numTrain: 60_000, numTest: 10_000 } as const;

/** The published data sets; `folder` is whatever the user has. */
export const publishedSets: Record<Exclude<Config['data']['set'], 'folder'>, PublishedSet> = {
  mnist: { ...digits, numClasses: 256 },
  'fashion-mnist': { ...digits, numClasses: 256 },
  'binarised-mnist': { ...digits, numClasses: 2 },
  cifar10: { shape: [32, 32, 3], numClasses: 256, numTrain: 50_000, numTest: 10_000 },
};
