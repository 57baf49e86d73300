import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../shared/package.js';

/** The original's curve, and the draws that it was evaluated with. */
export interface ReferenceCurve {
  readonly numParameters: number;
  readonly steps: readonly number[];
  /** Bits per dimension of each seed at each of `steps`. */
  readonly testNelbo: readonly (readonly number[])[];
  /** Of test example i. */
  readonly timeSteps: readonly number[];
  /** Ranks, one row a test example. */
  readonly orders: Int32Array;
}

export function readReferenceCurve(): ReferenceCurve {
  const folder = path.join(packageRoot, 'bench/reference');
  const curve = JSON.parse(readFileSync(path.join(folder, 'mnist-curve.json'), 'utf8')) as ReferenceCurve;
  const bytes = readFileSync(path.join(folder, 'mnist-orders.bin'));
  const orders = Int32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
  return { ...curve, orders };
}

/** From where to where a value counts as the original's: its seeds' spread, or their mean +- `margin` if that is wider. */
export function acceptedRange(seeds: readonly number[], margin: number): readonly [number, number] {
  const [lowest, highest] = [Math.min(...seeds), Math.max(...seeds)];
  const mean = seeds.reduce((sum, value) => sum + value, 0) / seeds.length;
  return highest - lowest > 2 * margin ? [lowest, highest] : [mean - margin, mean + margin];
}
