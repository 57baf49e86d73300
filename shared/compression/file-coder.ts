import type { Medium } from '../config/medium.js';
import type { EngineIdentity } from '../engine/identity.js';
import type { Classes } from '../method/classes.js';

/** How examples are coded, beside the model: what the decoder has to be told. */
export interface CodingPlan {
  /** The increasing steps at which the network is called, the first of them 0. */
  readonly policy: Int32Array;
  /** Of the order, the same for all examples; a 32-bit word. */
  readonly seed: number;
  /** Examples that the network is given at once, always as many. */
  readonly batch: number;
}

/** The data that a model is made for. */
export interface CoverageModel {
  /** [height, width, channels] of an example, its context included. */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  /** Leading variables of an example that are told to the network and not coded. */
  readonly numContext: number;
  readonly medium: Medium;
}

/** Variables of an example, its context included. */
export const sizeOfExample = ({ shape: [height, width, channels] }: CoverageModel): number =>
  height * width * channels;

/** A trained model that codes examples. */
export interface FileCoder {
  readonly model: CoverageModel;
  /** SHA-256, hex. */
  readonly modelHash: string;
  readonly engine: EngineIdentity;
  readonly plan: CodingPlan;
  /**
   * Codes examples of one batch, a stream each.
   *
   * @param first the place of the first one in the whole file, a multiple of the batch
   * @param examples at most a batch of them
   * @param absent 1 where a variable is not coded; absent: all are
   */
  encode(first: number, examples: Classes, absent?: Uint8Array): Promise<Uint8Array[]>;
  /**
   * The inverse of `encode`. An example without any variables to code has a stream of no bytes; variables that are not coded come back as
   * any class.
   *
   * @throws CompressionError where a stream is no message of this model
   */
  decode(first: number, streams: readonly Uint8Array[], absent?: Uint8Array): Promise<Classes>;
}

/** The kinds of files that can be taken apart into examples and a rest. Their places here stand in compressed files: append only. */
export const COVERAGE_KINDS = ['png', 'idx', 'cifar10', 'text', 'bytes', 'wav'] as const;
export type CoverageKind = (typeof COVERAGE_KINDS)[number];

/** A file as examples of a model and the rest. */
export interface Covered {
  readonly kind: CoverageKind;
  /** One example after another. */
  readonly examples: Classes;
  /** 1 where a variable of an example lies outside the file; absent: none does. */
  readonly absent?: Uint8Array;
  /** What gives the file back from the examples. */
  readonly rest: Uint8Array;
}

/** Takes files apart for a model, and puts them together again. */
export interface Coverage {
  /** Undefined where the model can't code the file. */
  cover(bytes: Uint8Array, model: CoverageModel): Promise<Covered | undefined>;
  /** @throws CompressionError where the rest does not fit the examples */
  uncover(kind: CoverageKind, rest: Uint8Array, examples: Classes, model: CoverageModel): Promise<Uint8Array>;
}
