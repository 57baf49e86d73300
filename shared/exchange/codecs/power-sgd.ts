import { PURPOSE, stream } from '../../random/philox.js';
import { bucketBytes, bucketsOf, type Bucket } from '../buckets.js';
import { firstNonfinite, type Codec, type EncodedBucket } from './codec.js';
import { LowRank, type Matrix } from './low-rank.js';

/** A tensor of which a gradient is made. */
export interface Tensor {
  readonly shape: readonly number[];
}

/** A run of a bucket: a tensor as a matrix, or values that travel as they are. */
interface Piece extends Bucket {
  readonly matrix?: Matrix;
}

interface TensorBucket extends EncodedBucket {
  readonly pieces: readonly Piece[];
}

/**
 * PowerSGD (Vogels et al., 2019): each tensor is taken for a matrix M and becomes the product of two of rank r, P and Q: two rounds of subspace iteration from a drawn
 * start, P orthonormal. What would not be shorter that way, biases above all, travels as float32. Buckets are whole tensors.
 *
 * Bytes, tensor after tensor: the columns of P, then those of Q, as float32.
 */
export class PowerSgdCodec implements Codec {
  readonly format: string;
  readonly buckets: readonly TensorBucket[];
  readonly #lowRank: LowRank;

  constructor(tensors: readonly Tensor[], bucketElements: number, rank: number) {
    this.format = `power-sgd of rank ${rank}`;
    const pieces = piecesOf(tensors, bucketElements, rank);
    this.buckets = grouped(pieces, bucketElements);
    this.#lowRank = new LowRank(pieces.flatMap(({ matrix }) => matrix ?? []));
  }

  encode(bucket: EncodedBucket, values: Float32Array, into: Uint8Array, draw = 0): number | undefined {
    let at = 0;
    for (const { offset, length, matrix } of (bucket as TensorBucket).pieces) {
      const first = offset - bucket.offset;
      const own = values.subarray(first, first + length);
      const bytes = into.subarray(at, (at += 4 * (matrix ? factorsOf(matrix) : length)));
      const nonfinite = firstNonfinite(own);
      if (nonfinite >= 0) return first + nonfinite;
      const whole = { offset: 0, length };
      if (!matrix) bytes.set(bucketBytes(own, whole));
      else if (!this.#lowRank.encode(matrix, own, stream(draw, PURPOSE.exchange, offset), bytes))
        return first;
    }
    return undefined;
  }

  decode(bucket: EncodedBucket, bytes: Uint8Array, into: Float32Array): undefined {
    let at = 0;
    for (const { offset, length, matrix } of (bucket as TensorBucket).pieces) {
      const own = into.subarray(offset - bucket.offset, offset - bucket.offset + length);
      const encoded = bytes.subarray(at, (at += 4 * (matrix ? factorsOf(matrix) : length)));
      if (matrix) this.#lowRank.decode(matrix, encoded, own);
      else bucketBytes(own, { offset: 0, length }).set(encoded);
    }
  }
}

const factorsOf = ({ rows, columns, rank }: Matrix) => rank * (rows + columns);

/** Tensors that are shorter as factors, each by itself, and between them runs of at most `bucketElements` values. */
function piecesOf(tensors: readonly Tensor[], bucketElements: number, rank: number): Piece[] {
  const pieces: Piece[] = [];
  let begin = 0;
  let end = 0;
  const plain = () => {
    for (const { offset, length } of bucketsOf(end - begin, 4 * bucketElements))
      pieces.push({ offset: begin + offset, length });
  };
  for (const { shape } of tensors) {
    const length = shape.reduce((a, b) => a * b, 1);
    const matrix = matrixOf(shape, rank);
    if (factorsOf(matrix) < length) {
      plain();
      pieces.push({ offset: end, length, matrix });
      begin = end + length;
    }
    end += length;
  }
  plain();
  return pieces;
}

/** The axes of a tensor in two groups, as even as they go. */
function matrixOf(shape: readonly number[], rank: number): Matrix {
  const length = shape.reduce((a, b) => a * b, 1);
  let [rows, columns] = [1, length];
  for (let before = 1, axis = 0; axis < shape.length; axis++) {
    before *= shape[axis]!;
    if (before + length / before < rows + columns) [rows, columns] = [before, length / before];
  }
  return { rows, columns, rank: Math.min(rank, rows, columns) };
}

/** Pieces in buckets of at least `bucketElements` values, but for the last. */
function grouped(pieces: readonly Piece[], bucketElements: number): TensorBucket[] {
  const buckets: TensorBucket[] = [];
  let open: Piece[] = [];
  let length = 0;
  for (const [nth, piece] of pieces.entries()) {
    open.push(piece);
    length += piece.length;
    if (length < bucketElements && nth < pieces.length - 1) continue;
    const bytes = open.reduce(
      (sum, { matrix, length }) => sum + 4 * (matrix ? factorsOf(matrix) : length),
      0,
    );
    buckets.push({ offset: open[0]!.offset, length, bytes, pieces: open });
    [open, length] = [[], 0];
  }
  return buckets;
}
