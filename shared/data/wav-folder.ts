import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.js';
import { decodeWav } from '../render/wav.js';
import { readIfThere } from './cache.js';
import { classesOfSamples, clipSplit, NUM_LEVELS } from './clips.js';
import type { Dataset } from './dataset.js';
import { FilesHash, isTest, namesBelow, unreadable } from './own-files.js';
import { listedSplits, SPLIT_LISTS, type SplitName } from './split-lists.js';

export interface WavOptions {
  /** Hz, which every file must have. */
  readonly sampleRate: number;
  /** Samples of an example: shorter clips are padded with silence at their end, longer ones cut. */
  readonly length: number;
  readonly testFraction: number;
}

/**
 * A folder of WAV files, searched recursively, as a data set: 16 bits, one channel, K = 65,536, in the order of their relative names.
 * `testing_list.txt` and `validation_list.txt` in the folder (relative names, a line each) say which files are held out; without them
 * a hash of the name says which are the test split. All clips are held in memory.
 *
 * @throws UserError that names the folder or the file, and what is wrong with it
 */
export async function openWavFolder(folder: string, options: WavOptions): Promise<Dataset> {
  const { sampleRate, length, testFraction } = options;
  const names = await namesBelow(folder, /\.wav$/i);
  if (names.length === 0) throw new UserError(`${folder} has no WAV files`);
  const listed = await readLists(folder);
  const splits: Record<SplitName, Uint16Array[]> = { train: [], validation: [], test: [] };
  const files = new FilesHash();
  let numCut = 0;
  for (const name of names) {
    const file = path.join(folder, name);
    const bytes = await readFile(file).catch(unreadable(file));
    const clip = decodeWav(bytes, file);
    if (clip.sampleRate !== sampleRate) {
      throw new UserError(
        `${file} has ${clip.sampleRate} samples a second, and data.sampleRate is ${sampleRate}: ` +
          `resample it, e.g. with ffmpeg -ar ${sampleRate}`,
      );
    }
    if (clip.samples.length > length) numCut++;
    const byHash = isTest(name, testFraction) ? 'test' : 'train';
    const split = listed ? (listed.get(name) ?? 'train') : byHash;
    // The lists may say another split for the same file.
    files.add(`${split}/${name}`, bytes);
    splits[split].push(classesOfSamples(clip.samples.slice(0, length)));
  }
  for (const split of ['train', 'test'] as const) {
    if (splits[split].length > 0) continue;
    const advice = listed ? 'change the lists of files there' : 'add files or change data.testFraction';
    throw new UserError(
      `none of the ${names.length} WAV files of ${folder} fall into the ${split} split: ${advice}`,
    );
  }
  return {
    name: path.basename(folder),
    shape: [1, length, 1],
    numClasses: NUM_LEVELS,
    train: clipSplit(splits.train),
    ...(splits.validation.length > 0 && { validation: clipSplit(splits.validation) }),
    test: clipSplit(splits.test),
    hash: files.digest(),
    ...(numCut > 0 && {
      notes: [`${folder}: ${numCut} of ${names.length} clips are longer than data.length ${length} and cut`],
    }),
  };
}

/** The split of each listed file; undefined when there are no lists. */
async function readLists(folder: string): Promise<Map<string, SplitName> | undefined> {
  const lists = new Map<string, Uint8Array>();
  for (const name of Object.values(SPLIT_LISTS)) {
    const bytes = await readIfThere(path.join(folder, name));
    if (bytes) lists.set(name, bytes);
  }
  return lists.size > 0 ? listedSplits(lists) : undefined;
}
