import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.js';
import type { Classes } from '../method/classes.js';
import type { Dataset, Split } from './dataset.js';
import { FilesHash, unreadable } from './own-files.js';
import { layoutText, numExamples, type Range, type TextLayout } from './text-layout.js';
import { vocabularies, type VocabularyName } from './vocabulary.js';

export interface TextOptions {
  readonly vocabulary: VocabularyName;
  /** So many characters before each example stand at its beginning; zeros where the text begins. */
  readonly context: number;
}

/**
 * A text as a data set (section 7.2). A training example is cut out of its piece at random; those of the validation and test splits lie end to
 * end. An example is `context` + `length` classes; its context reaches across the beginning of its split.
 *
 * @param place the file, or the published set
 * @param layout of as many characters as there are bytes
 * @throws UserError when the vocabulary lacks a byte
 */
export function textDataset(
  place: string,
  bytes: Uint8Array,
  layout: TextLayout,
  { vocabulary, context }: TextOptions,
): Dataset {
  const { numClasses } = vocabularies[vocabulary];
  const classes = vocabularies[vocabulary].encode(bytes, place);
  const { train, validation, test, length, numPieces } = layout;
  const copy = (start: number, into: Classes): void => {
    const numMissing = Math.max(0, context - start);
    into.fill(0, 0, numMissing);
    into.set(classes.subarray(start - context + numMissing, start + length), numMissing);
  };
  const endToEnd = (split: Range): Split => ({
    count: numExamples(split, layout),
    read: (index, into) => copy(split.begin + index * length, into),
  });
  const pieceBegin = (index: number) => Math.floor((index * train.end) / numPieces);
  return {
    name: path.basename(place),
    shape: [1, context + length, 1],
    numClasses,
    train: {
      count: numPieces,
      read(index, into, random) {
        const begin = pieceBegin(index);
        const numStarts = pieceBegin(index + 1) - begin - length + 1;
        copy(begin + (random?.below(numStarts) ?? 0), into);
      },
    },
    validation: endToEnd(validation),
    test: endToEnd(test),
    ...(layout.remainder > 0 && { notes: [noteOf(place, layout)] }),
  };
}

function noteOf(place: string, layout: TextLayout): string {
  const { validation, test, length } = layout;
  const [numValidation, numTest] = [numExamples(validation, layout), numExamples(test, layout)];
  return (
    `${place} is cut into whole examples of ${length}: test begins at ${test.begin} (${numTest} examples), ` +
    `validation at ${validation.begin} (${numValidation}), all before is for training`
  );
}

/** Files are read whole. */
const MAX_BYTES = 2e9;

/**
 * A user's own file, text or any other bytes, as a data set: its last `testFraction` is the test split, as much before that validation. A piece
 * of the training split is four examples long.
 *
 * @throws UserError when it can't be read, is too short or too long, or has a byte that the vocabulary lacks
 */
export async function openText(
  file: string,
  options: TextOptions & { readonly length: number; readonly testFraction: number },
): Promise<Dataset> {
  const { length, testFraction } = options;
  const status = await stat(file).catch(unreadable(file));
  if (!status.isFile()) throw new UserError(`${file} is no file: data.file names a text or any other file`);
  if (status.size > MAX_BYTES) {
    throw new UserError(
      `${file} has ${status.size} bytes, and a text is held in memory whole: at most ${MAX_BYTES}. ` +
        `Take a part of it, e.g. with head -c ${MAX_BYTES}`,
    );
  }
  const bytes = await readFile(file).catch(unreadable(file));
  if (bytes.length === 0) throw new UserError(`${file} is empty`);
  const numHeldOut = Math.floor(bytes.length * testFraction);
  if (Math.min(numHeldOut, bytes.length - 2 * numHeldOut) < length) {
    const numTrain = Math.max(0, bytes.length - 2 * numHeldOut);
    throw new UserError(
      `${file} is too short: of its ${bytes.length} bytes data.testFraction ${testFraction} gives ${numTrain} to training and ${numHeldOut} ` +
        `each to validation and test, and an example (data.length) has ${length}. Take a longer file, shorter examples or another fraction`,
    );
  }
  const layout = layoutText(bytes.length, numHeldOut, length, 4 * length);
  const files = new FilesHash();
  // Whatever its name: it may be moved.
  files.add('', bytes);
  return { ...textDataset(file, bytes, layout, options), hash: files.digest() };
}
