import type { ModelData } from '../model/description.js';
import type { Config } from './schema.js';

/** Variables of an example of text, and samples of a clip of audio, as published. */
export const DEFAULT_LENGTH = { text: 250, audio: 16_000 } as const;

const digits = [28, 28, 1] as const;

/** The examples of a data set, as far as the config alone tells: a folder of images is of whatever size they are. */
export function dataShape(data: Config['data']): ModelData | undefined {
  const text = (numClasses: number): ModelData => ({
    shape: [1, data.context + (data.length ?? DEFAULT_LENGTH.text), 1],
    numClasses,
    numContext: data.context,
  });
  switch (data.set) {
    case 'mnist':
    case 'fashion-mnist':
      return { shape: digits, numClasses: 256 };
    case 'binarised-mnist':
      return { shape: digits, numClasses: 2 };
    case 'cifar10':
      return { shape: [32, 32, 3], numClasses: 256 };
    case 'text8':
    case 'enwik8':
      return text(NUM_CLASSES[data.set]);
    case 'text':
      return text(NUM_CLASSES[data.vocabulary]);
    case 'sc09':
    case 'wav':
      return { shape: [1, data.length ?? DEFAULT_LENGTH.audio, 1], numClasses: 65_536 };
    case 'folder':
      return undefined;
  }
}

const NUM_CLASSES = { text8: 28, enwik8: 257, bytes: 256 } as const;
