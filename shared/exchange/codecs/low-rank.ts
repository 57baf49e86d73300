import type { Random } from '../../random/philox.js';
import { matrixKernels } from './matrix-kernels.js';

/** The shape of a matrix, and of how many columns its factors are. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
}

/** Subspace iterations from the drawn start: the second is what a start from the last step's factors would save. */
const ITERATIONS = 2;

/** Matrices as products P Q', P of orthonormal columns, in memory of their own. */
export class LowRank {
  readonly #kernels: ReturnType<typeof matrixKernels>['kernels'];
  readonly #memory: Float32Array;
  readonly #matrixAt: number;

  /** @param matrices all that there will be */
  constructor(matrices: readonly Matrix[]) {
    const most = (of: (matrix: Matrix) => number) => Math.max(0, ...matrices.map(of));
    const { memory, kernels, matrixAt } = matrixKernels(
      most(({ columns }) => columns),
      most(({ rows, columns }) => rows * padded(columns)),
      most(({ rank }) => rank),
    );
    this.#kernels = kernels;
    this.#memory = new Float32Array(memory.buffer);
    this.#matrixAt = matrixAt;
  }

  /** Writes the columns of P, then those of Q, as float32. False where they are not finite. */
  encode(matrix: Matrix, values: Float32Array, random: Random, into: Uint8Array): boolean {
    const { rows, columns, rank } = matrix;
    this.#load(matrix, values);
    for (let k = 0; k < rank; k++)
      this.#right(matrix, k).set(Float32Array.from({ length: columns }, () => random.uniform() - 0.5));
    const left = Array.from({ length: rank }, () => new Float32Array(rows));
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      if (iteration > 0) orthonormalize(left.map((_, k) => this.#right(matrix, k)));
      this.#project(matrix, left);
      orthonormalize(left);
      this.#expand(matrix, left);
    }
    const factors = new Float32Array(rank * (rows + columns));
    for (const [k, column] of left.entries()) {
      factors.set(column, k * rows);
      factors.set(this.#right(matrix, k).subarray(0, columns), rank * rows + k * columns);
    }
    into.set(new Uint8Array(factors.buffer));
    return factors.every(Number.isFinite);
  }

  decode({ rows, columns, rank }: Matrix, bytes: Uint8Array, into: Float32Array): void {
    const factors = new Float32Array(bytes.slice().buffer);
    const matrix = { rows, columns, rank };
    for (let k = 0; k < rank; k++) {
      const begin = rank * rows + k * columns;
      this.#right(matrix, k).set(factors.subarray(begin, begin + columns));
    }
    const row = this.#memory.subarray(this.#matrixAt, this.#matrixAt + padded(columns));
    const [from, end] = [4 * this.#matrixAt, 4 * (this.#matrixAt + padded(columns))];
    for (let i = 0; i < rows; i++) {
      row.fill(0);
      for (let k = 0; k < rank; k++)
        this.#kernels.addScaled(from, 4 * k * padded(columns), end, factors[k * rows + i]!);
      into.set(row.subarray(0, columns), i * columns);
    }
  }

  /** Rows are padded with zeros, and so are the columns of Q. */
  #load({ rows, columns, rank }: Matrix, values: Float32Array): void {
    const stride = padded(columns);
    this.#memory.fill(0, 0, rank * stride);
    const matrix = this.#memory.subarray(this.#matrixAt, this.#matrixAt + rows * stride);
    if (stride === columns) return matrix.set(values);
    matrix.fill(0);
    for (let i = 0; i < rows; i++) matrix.set(values.subarray(i * columns, (i + 1) * columns), i * stride);
  }

  /** A column of Q. */
  #right({ columns }: Matrix, k: number): Float32Array {
    return this.#memory.subarray(k * padded(columns), (k + 1) * padded(columns));
  }

  /** P = M Q */
  #project({ rows, columns }: Matrix, left: readonly Float32Array[]): void {
    const rowBytes = 4 * padded(columns);
    for (let i = 0; i < rows; i++) {
      const at = 4 * this.#matrixAt + i * rowBytes;
      for (const [k, column] of left.entries())
        column[i] = this.#kernels.dot(at, k * rowBytes, at + rowBytes);
    }
  }

  /** Q = M' P */
  #expand({ rows, columns }: Matrix, left: readonly Float32Array[]): void {
    const rowBytes = 4 * padded(columns);
    this.#memory.fill(0, 0, left.length * padded(columns));
    for (let i = 0; i < rows; i++) {
      const at = 4 * this.#matrixAt + i * rowBytes;
      for (const [k, column] of left.entries())
        this.#kernels.addScaled(k * rowBytes, at, (k + 1) * rowBytes, column[i]!);
    }
  }
}

const padded = (columns: number) => 4 * Math.ceil(columns / 4);

/** What is left of a column is its own direction, and not the rounding of others'. */
const DEPENDENT = 1e-5;

/** Makes the columns orthonormal, one after another (modified Gram and Schmidt, in float64); those that depend on earlier ones become 0. */
function orthonormalize(columns: readonly Float32Array[]): void {
  const done: Float64Array[] = [];
  for (const column of columns) {
    const own = Float64Array.from(column);
    const before = norm(own);
    for (const other of done) {
      let dot = 0;
      for (let i = 0; i < own.length; i++) dot += own[i]! * other[i]!;
      for (let i = 0; i < own.length; i++) own[i]! -= dot * other[i]!;
    }
    const length = norm(own);
    const factor = length > DEPENDENT * before ? 1 / length : 0;
    for (let i = 0; i < own.length; i++) own[i]! *= factor;
    done.push(own);
    column.set(own);
  }
}

function norm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
