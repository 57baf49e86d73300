import path from 'node:path';
import type { Config } from '../config/schema.js';
import { UsageError } from '../errors.js';
import { checkAugmentation } from './augment.js';
import { binarised } from './binarised.js';
import { defaultCacheFolder } from './cache.js';
import { cifar10Split, CIFAR10_SIDE } from './cifar10.js';
import type { Dataset } from './dataset.js';
import { provideFiles } from './fetch.js';
import { openFolder } from './folder.js';
import { idxImages } from './idx.js';
import { sources } from './sources.js';

export interface OpenOptions {
  /** Where fetched sets are kept; absent: `defaultCacheFolder()`. */
  readonly cacheFolder?: string;
  /** What a relative `data.folder` is relative to: the folder of the config file. */
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
  if (data.set === 'folder') {
    if (data.folder === undefined) throw new UsageError('data.folder is missing: set: folder needs it');
    return openFolder(path.resolve(options.baseFolder, data.folder), data.testFraction);
  }
  const source = sources[data.set === 'binarised-mnist' ? 'mnist' : data.set];
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder();
  const { files } = await provideFiles(source, { ...options, cacheFolder });
  const file = (name: string) => ({ name, bytes: files.get(name)! });
  if (data.set === 'cifar10') {
    return {
      name: data.set,
      shape: [CIFAR10_SIDE, CIFAR10_SIDE, 3],
      numClasses: 256,
      train: cifar10Split([1, 2, 3, 4, 5].map((batch) => file(`data_batch_${batch}.bin`))),
      test: cifar10Split([file('test_batch.bin')]),
    };
  }
  const images = (name: string) => idxImages(files.get(name)!, name);
  const train = images('train-images-idx3-ubyte');
  const test = images('t10k-images-idx3-ubyte');
  const shape = [train.height, train.width, 1] as const;
  return data.set === 'binarised-mnist'
    ? { name: data.set, shape, numClasses: 2, train: binarised(train, 0), test: binarised(test, 1) }
    : { name: data.set, shape, numClasses: 256, train, test };
}
