import type { Classes } from '../method/classes.js';
import type { Random } from '../random/philox.js';

/** One split of a data set. Examples are classes, in the order height, width, channel. */
export interface Split {
  readonly count: number;
  /**
   * Writes example i (0 <= i < count) to `into`, which is as long as an example. Where examples are cut out of longer pieces at
   * random (text for training), `random` draws where; absent: at the beginning.
   */
  read(index: number, into: Classes, random?: Random): void;
}

export interface Dataset {
  readonly name: string;
  /** [height, width, channels] of an example; a sequence is one row. */
  readonly shape: readonly [number, number, number];
  /** K: each variable is an integer in 0..K-1. */
  readonly numClasses: number;
  readonly train: Split;
  readonly validation?: Split;
  readonly test: Split;
  /** SHA-256 (hex) of a user's own files: another one, other examples. Absent for published sets, whose files have their own checksums. */
  readonly hash?: string;
  /** What the person who started this should know of how the files were read, a line each. */
  readonly notes?: readonly string[];
}
