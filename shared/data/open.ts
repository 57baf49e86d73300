import path from 'node:path';
import { DEFAULT_LENGTH } from '../config/data-shape.js';
import type { Config } from '../config/schema.js';
import { UsageError } from '../errors.js';
import { checkAugmentation } from './augment.js';
import { binarised } from './binarised.js';
import { defaultCacheFolder, type Found } from './cache.js';
import { cifar10Split, CIFAR10_SIDE } from './cifar10.js';
import type { Dataset } from './dataset.js';
import { provideFiles } from './fetch.js';
import { openFolder } from './folder.js';
import { idxImages } from './idx.js';
import { sc09Dataset } from './sc09.js';
import { sources } from './sources.js';
import { publishedLayout } from './text-layout.js';
import { openText, textDataset } from './text.js';
import { openWavFolder } from './wav-folder.js';

export interface OpenOptions {
  /** Where fetched sets are kept; absent: `defaultCacheFolder()`. */
  readonly cacheFolder?: string;
  /** What a relative `data.folder` or `data.file` is relative to: the folder of the config file. */
  readonly baseFolder: string;
  /** Whether a set that isn't here may be fetched over the network. */
  readonly fetch: boolean;
  /** Takes lines of progress. */
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Opens the data set that a config names, all of it in memory and checked against its checksums.
 *
 * @throws UserError when it isn't here and can't be or may not be fetched, or is damaged
 * @throws UsageError when the config's `data` doesn't fit the set
 * @throws the signal's reason when aborted
 */
export async function openDataset(data: Config['data'], options: OpenOptions): Promise<Dataset> {
  const dataset = await open(data, options);
  checkAugmentation(data.augment, dataset.shape);
  return dataset;
}

async function open(data: Config['data'], options: OpenOptions): Promise<Dataset> {
  const { vocabulary, context, sampleRate, testFraction } = data;
  const textLength = data.length ?? DEFAULT_LENGTH.text;
  const audioLength = data.length ?? DEFAULT_LENGTH.audio;
  const own = (key: 'folder' | 'file') => {
    const given = data[key];
    if (given === undefined) throw new UsageError(`data.${key} is missing: set: ${data.set} needs it`);
    return path.resolve(options.baseFolder, given);
  };
  switch (data.set) {
    case 'folder':
      return openFolder(own('folder'), testFraction);
    case 'wav':
      return openWavFolder(own('folder'), { sampleRate, length: audioLength, testFraction });
    case 'text':
      return openText(own('file'), { vocabulary, length: textLength, context, testFraction });
    case 'text8':
    case 'enwik8': {
      const files = await provide(data.set, options);
      const layout = publishedLayout(textLength);
      return textDataset(data.set, files.get(data.set)!, layout, { vocabulary: data.set, context });
    }
    case 'sc09':
      return sc09Dataset(await provide('sc09', options), audioLength);
    case 'cifar10':
      return cifar10Dataset(await provide('cifar10', options));
    case 'mnist':
    case 'fashion-mnist':
      return idxDataset(data.set, await provide(data.set, options));
    case 'binarised-mnist': {
      const grey = idxDataset(data.set, await provide('mnist', options));
      return { ...grey, numClasses: 2, train: binarised(grey.train, 0), test: binarised(grey.test, 1) };
    }
  }
}

type Files = Found['files'];

async function provide(name: keyof typeof sources, options: OpenOptions): Promise<Files> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder();
  return (await provideFiles(sources[name], { ...options, cacheFolder })).files;
}

function cifar10Dataset(files: Files): Dataset {
  const file = (name: string) => ({ name, bytes: files.get(name)! });
  return {
    name: 'cifar10',
    shape: [CIFAR10_SIDE, CIFAR10_SIDE, 3],
    numClasses: 256,
    train: cifar10Split([1, 2, 3, 4, 5].map((batch) => file(`data_batch_${batch}.bin`))),
    test: cifar10Split([file('test_batch.bin')]),
  };
}

function idxDataset(name: string, files: Files): Dataset {
  const images = (file: string) => idxImages(files.get(file)!, file);
  const train = images('train-images-idx3-ubyte');
  const test = images('t10k-images-idx3-ubyte');
  return { name, shape: [train.height, train.width, 1], numClasses: 256, train, test };
}
