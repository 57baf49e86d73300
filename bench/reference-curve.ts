import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../shared/package.js';

/** The small runs that were recorded: images, text, audio. */
export const RUN_NAMES = ['mnist', 'text8', 'audio'] as const;
export type RunName = (typeof RUN_NAMES)[number];

/** A recorded curve, and the draws that it was evaluated with. */
export interface ReferenceCurve {
  readonly numParameters: number;
  /** Of what it was trained on, hex; absent where the data set's own checksums say that. */
  readonly dataSha256?: string;
  readonly steps: readonly number[];
  /** Bits per dimension of each seed at each of `steps`. */
  readonly testNelbo: readonly (readonly number[])[];
  /** Over all stages; row i of the draws belongs to test example i, or i modulo their number where there are more draws. */
  readonly timeSteps: readonly number[];
  /** Ranks, one row a draw. */
  readonly orders: Int32Array;
}

export function readReferenceCurve(run: RunName): ReferenceCurve {
  const folder = path.join(packageRoot, 'bench/reference');
  const curve = JSON.parse(readFileSync(path.join(folder, `${run}-curve.json`), 'utf8')) as ReferenceCurve;
  const bytes = readFileSync(path.join(folder, `${run}-orders.bin`));
  const orders = Int32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
  return { ...curve, orders };
}

/** From where to where a value counts as the reference's: its seeds' spread, or their mean +- `margin` if that is wider. */
export function acceptedRange(seeds: readonly number[], margin: number): readonly [number, number] {
  const [lowest, highest] = [Math.min(...seeds), Math.max(...seeds)];
  const mean = seeds.reduce((sum, value) => sum + value, 0) / seeds.length;
  return highest - lowest > 2 * margin ? [lowest, highest] : [mean - margin, mean + margin];
}
