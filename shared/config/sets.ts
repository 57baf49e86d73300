import { SC09_COUNTS } from '../data/sc09.js';
import { numExamples, publishedLayout } from '../data/text-layout.js';
import { dataShape, DEFAULT_LENGTH } from './data-shape.js';
import { imageSets } from './image-sets.js';
import type { Config } from './schema.js';

/** What is known of a published data set without having it. */
export interface PublishedSet {
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  readonly numTrain: number;
  /** Absent where nothing is published as the validation split. */
  readonly numValidation?: number;
  readonly numTest: number;
}

/** The published set that a config names, cut into examples as it says; undefined for your own data. */
export function publishedSet(data: Config['data']): PublishedSet | undefined {
  switch (data.set) {
    case 'folder':
    case 'text':
    case 'wav':
      return undefined;
    case 'text8':
    case 'enwik8': {
      const layout = publishedLayout(data.length ?? DEFAULT_LENGTH.text);
      const numValidation = numExamples(layout.validation, layout);
      const numTest = numExamples(layout.test, layout);
      return { ...kindOf(data), numTrain: layout.numPieces, numValidation, numTest };
    }
    case 'sc09': {
      const { train, validation, test } = SC09_COUNTS;
      return { ...kindOf(data), numTrain: train, numValidation: validation, numTest: test };
    }
    default:
      return imageSets[data.set];
  }
}

function kindOf(data: Config['data']): Pick<PublishedSet, 'shape' | 'numClasses'> {
  const { shape, numClasses } = dataShape(data)!;
  return { shape, numClasses };
}
