import { ARRAYS, type StateArray, type TrainingState } from '../checkpoint/state.js';
import { bucketBytes, bucketsOf, checksum, type Bucket } from './buckets.js';

export interface StateSizes {
  readonly numParameters: number;
  /** Loss components. */
  readonly numSteps: number;
}

/** Bytes of a copy of a training's state. */
export function stateBytes({ numParameters, numSteps }: StateSizes): number {
  return 16 * numParameters + 8 * numSteps;
}

/** The arrays of a copy in a buffer of `stateBytes`, one after another. */
export function stateIn(buffer: SharedArrayBuffer, { numParameters, numSteps }: StateSizes): TrainingState {
  const array = (nth: number) => new Float32Array(buffer, 4 * nth * numParameters, numParameters);
  return {
    parameters: array(0),
    firstMoment: array(1),
    secondMoment: array(2),
    ema: array(3),
    components: new Float64Array(buffer, 16 * numParameters, numSteps),
  };
}

/** What lies after the state in a buffer that has room for it: the residual of a coordinator that keeps one. */
export function residualIn(buffer: SharedArrayBuffer, sizes: StateSizes): Float32Array | undefined {
  const begin = stateBytes(sizes);
  return buffer.byteLength > begin ? new Float32Array(buffer, begin, sizes.numParameters) : undefined;
}

/** A part of a state as it travels. */
export interface StatePart extends Bucket {
  readonly array: StateArray;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

/** Puts the parts of a state, which come in order, back together. */
export class StateGathering {
  /** As of a copy: `stateIn`. */
  readonly buffer: SharedArrayBuffer;
  /** What has come of it. */
  readonly state: TrainingState;
  readonly #expected: (Bucket & { readonly array: StateArray })[];

  constructor(sizes: StateSizes, maxBytes: number) {
    this.buffer = new SharedArrayBuffer(stateBytes(sizes));
    this.state = stateIn(this.buffer, sizes);
    this.#expected = ARRAYS.flatMap((array) => {
      const { length, BYTES_PER_ELEMENT } = this.state[array];
      return bucketsOf(length, maxBytes, BYTES_PER_ELEMENT).map((bucket) => ({ array, ...bucket }));
    });
  }

  /** What is wrong with the next part; undefined where it is in its place. */
  put(part: Omit<StatePart, 'bytes'>, bytes: Uint8Array | undefined): string | undefined {
    const expected = this.#expected.shift();
    if (part.array !== expected?.array || part.offset !== expected.offset || part.length !== expected.length)
      return 'parts of the state in another order or size';
    const target = bucketBytes(this.state[part.array], part);
    if (bytes?.byteLength !== target.byteLength || checksum(bytes) !== part.crc)
      return `a damaged part of ${part.array}`;
    target.set(bytes);
    return undefined;
  }

  /** Why the state is not whole yet. */
  get problem(): string | undefined {
    return this.#expected.length > 0 ? 'an incomplete state' : undefined;
  }
}

/** Cuts a state into parts of at most `maxBytes`, without copying. */
export function* partsOf(state: TrainingState, maxBytes: number): Generator<StatePart> {
  for (const array of ARRAYS) {
    const values = state[array];
    for (const bucket of bucketsOf(values.length, maxBytes, values.BYTES_PER_ELEMENT)) {
      const bytes = bucketBytes(values, bucket);
      yield { array, ...bucket, crc: checksum(bytes), bytes };
    }
  }
}
