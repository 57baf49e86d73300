import { bytesOf, classesFrom } from '../method/classes.js';
import { decodeWav } from '../render/wav.js';
import type { Unpack } from './archive.js';
import { classesOfSamples, clipSplit, NUM_LEVELS, SILENCE } from './clips.js';
import type { Dataset } from './dataset.js';
import { listedSplits, SPLIT_LISTS, type SplitName } from './split-lists.js';

/** Samples of a clip as it is kept: one second. */
export const SC09_LENGTH = 16_000;

/** Clips of each split, as published. */
export const SC09_COUNTS = { train: 31_158, validation: 3_643, test: 4_107 } as const;

/** Of a split: its clips one after another, `SC09_LENGTH` classes each, two bytes a class, little-endian. */
export const sc09FileName = (split: SplitName): string => `${split}.u16`;

const WANTED = /^(zero|one|two|three|four|five|six|seven|eight|nine)\/.*\.wav$/;
const LISTS: readonly string[] = Object.values(SPLIT_LISTS);

/**
 * The spoken digits out of the Speech Commands archive, a file a split: as the archive's own lists say, in the order of their names. Clips are
 * padded to a second with silence. They are held in memory once, together.
 */
export const packSc09: Unpack = async function* (entries) {
  const clips = new Map<string, Uint8Array>();
  const lists = new Map<string, Uint8Array>();
  for await (const [path, bytes] of entries) {
    const name = path.replace(/^\.\//, '');
    if (LISTS.includes(name)) lists.set(name, bytes);
    if (!WANTED.test(name)) continue;
    const clip = new Uint16Array(SC09_LENGTH).fill(SILENCE);
    clip.set(classesOfSamples(decodeWav(bytes, name).samples).subarray(0, SC09_LENGTH));
    clips.set(name, bytesOf(clip));
  }
  const listed = listedSplits(lists);
  const names = [...clips.keys()].sort();
  for (const split of ['train', 'validation', 'test'] as const) {
    const members = names.filter((name) => (listed.get(name) ?? 'train') === split);
    yield [sc09FileName(split), members.map((name) => clips.get(name)!)];
  }
};

/** @param files that `packSc09` made, by name */
export function sc09Dataset(files: ReadonlyMap<string, Uint8Array>, length: number): Dataset {
  const open = (split: SplitName) => {
    const classes = classesFrom(files.get(sc09FileName(split))!, NUM_LEVELS) as Uint16Array;
    const count = classes.length / SC09_LENGTH;
    return clipSplit(
      Array.from({ length: count }, (_, i) => classes.subarray(i * SC09_LENGTH, (i + 1) * SC09_LENGTH)),
    );
  };
  return {
    name: 'sc09',
    shape: [1, length, 1],
    numClasses: NUM_LEVELS,
    train: open('train'),
    validation: open('validation'),
    test: open('test'),
  };
}
