import { parentPort, workerData } from 'node:worker_threads';
import type { Retention } from '../shared/checkpoint/retention.js';
import { writeCheckpoint, type Snapshot } from '../shared/checkpoint/write.js';

/** What stays the same in every checkpoint of a run. */
export interface CheckpointData extends Omit<Snapshot, 'step' | 'chain' | 'repeatable' | 'state'> {
  readonly folder: string;
  readonly numParameters: number;
  readonly retention: Retention;
}

export interface ToCheckpointThread {
  readonly step: number;
  readonly chain: string;
  readonly repeatable: boolean;
  /** Parameters, moments, moving average, P float32 each. */
  readonly buffer: SharedArrayBuffer;
}

export type FromCheckpointThread =
  | {
      readonly path: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly seconds: number;
      readonly warnings: string[];
    }
  | { readonly error: string };

const { folder, numParameters, retention, ...constant } = workerData as CheckpointData;

parentPort!.on('message', async ({ step, chain, repeatable, buffer }: ToCheckpointThread) => {
  const started = performance.now();
  const array = (nth: number) => new Float32Array(buffer, 4 * nth * numParameters, numParameters);
  const state = { parameters: array(0), firstMoment: array(1), secondMoment: array(2), ema: array(3) };
  let answer: FromCheckpointThread;
  try {
    const info = await writeCheckpoint(folder, { ...constant, step, chain, repeatable, state }, retention);
    answer = { ...info, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(answer);
});
