/** One split of an image set. Examples are bytes, one a variable, in the order height, width, channel. */
export interface Split {
  readonly count: number;
  /** Writes example i (0 <= i < count) to `into`, which is `height * width * channels` long. */
  read(index: number, into: Uint8Array): void;
}

export interface Dataset {
  readonly name: string;
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  /** K: each variable is an integer in 0..K-1. */
  readonly numClasses: number;
  readonly train: Split;
  readonly test: Split;
}
