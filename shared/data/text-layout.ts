/** Characters from `begin` to before `end`. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Where a text is cut, by position: training, then validation, then test, which ends with the text. */
export interface TextLayout {
  readonly train: Range;
  readonly validation: Range;
  readonly test: Range;
  /** Variables of an example. */
  readonly length: number;
  /** Characters by which the test split begins later than asked for. */
  readonly remainder: number;
  /** Training examples an epoch: one at random out of each piece of the training split. */
  readonly numPieces: number;
}

/**
 * Cuts a text of `total` characters, the last `numHeldOut` for the test and as many before them for validation. Both are whole examples and
 * none of their characters is dropped: where `length` does not divide a split, it begins later, and the rest belongs to the split before.
 */
export function layoutText(
  total: number,
  numHeldOut: number,
  length: number,
  pieceLength: number,
): TextLayout {
  const whole = (begin: number, end: number): Range => ({ begin: begin + ((end - begin) % length), end });
  const test = whole(total - numHeldOut, total);
  const validation = whole(total - 2 * numHeldOut, test.begin);
  const train = { begin: 0, end: validation.begin };
  const numPieces = Math.max(1, Math.floor(train.end / pieceLength));
  return { train, validation, test, length, remainder: numHeldOut % length, numPieces };
}

const PUBLISHED = { total: 100_000_000, numHeldOut: 5_000_000, pieceLength: 1000 } as const;

/** How text8 and enwik8 are cut (sections 7.2 and 7.3): 90, 5 and 5 million characters, an epoch one crop of each 1000. */
export function publishedLayout(length: number): TextLayout {
  const { total, numHeldOut, pieceLength } = PUBLISHED;
  return layoutText(total, numHeldOut, length, length > pieceLength ? 4 * length : pieceLength);
}

/** Examples of a validation or test split. */
export const numExamples = ({ begin, end }: Range, { length }: TextLayout): number => (end - begin) / length;
