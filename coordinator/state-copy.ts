import { ARRAYS, type StateArray, type TrainingState } from '../shared/checkpoint/state.js';
import { bucketBytes, bucketsOf, checksum, type Bucket } from '../shared/exchange/buckets.js';

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

/** A part of a state as it travels. */
export interface StatePart extends Bucket {
  readonly array: StateArray;
  readonly crc: number;
  readonly bytes: Uint8Array;
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
