import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { defaultCacheFolder } from '../../../shared/cache-folder.js';
import { packageRoot } from '../../../shared/package.js';
import { unchecked } from '../../support/unchecked.js';

/** As scripts/ci-install.sh installs it. */
const FOLDER = path.join(defaultCacheFolder(), 'tensorboard-2.21.0');

export interface FoundHistogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sum_squares: number;
  readonly bucket_limit: readonly number[];
  readonly bucket: readonly number[];
}

/** What TensorBoard finds in the folder of one of its runs: entries by tag, in its order. */
export interface Found {
  /** Seconds since 1970, step, value. */
  readonly scalars: Readonly<Record<string, [number, number, number][]>>;
  /** Step, width, height, PNG (hex). */
  readonly images: Readonly<Record<string, [number, number, number, string][]>>;
  /** Step, samples a second, samples, type, WAV (hex). */
  readonly audio: Readonly<Record<string, [number, number, number, string, string][]>>;
  /** Step, histogram. */
  readonly histograms: Readonly<Record<string, [number, FoundHistogram][]>>;
  readonly texts: Readonly<Record<string, [number, string][]>>;
}

/** Whether the real TensorBoard is here; else the test is over. */
export function hasTensorBoard(t: TestContext): boolean {
  if (existsSync(path.join(FOLDER, 'tensorboard'))) return true;
  unchecked(t, `TensorBoard is absent: there is no ${FOLDER}`);
  return false;
}

/** What the real TensorBoard reads in each folder. */
export function readByTensorBoard(...folders: readonly string[]): Found[] {
  const script = path.join(packageRoot, 'test/coordinator/tensorboard/read.py');
  const env = { ...process.env, PYTHONPATH: FOLDER };
  const printed = execFileSync('python3', [script, ...folders], {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(printed) as Found[];
}
