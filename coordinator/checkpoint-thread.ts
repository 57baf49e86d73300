import { parentPort, workerData } from 'node:worker_threads';
import { writeCheckpoint, type Snapshot } from '../shared/checkpoint/write.js';
import type { ParameterSpec } from '../shared/networks/network.js';

/** What stays the same in every checkpoint of a run. */
export interface CheckpointData {
  readonly folder: string;
  readonly run: string;
  readonly config: object;
  readonly configHash: string;
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  readonly parameters: readonly ParameterSpec[];
  readonly numParameters: number;
  readonly retention: { readonly keepLast: number; readonly keepEvery: number };
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

const data = workerData as CheckpointData;

parentPort!.on('message', async ({ step, chain, repeatable, buffer }: ToCheckpointThread) => {
  const started = performance.now();
  const array = (nth: number) => new Float32Array(buffer, 4 * nth * data.numParameters, data.numParameters);
  const snapshot: Snapshot = {
    step,
    run: data.run,
    config: data.config,
    configHash: data.configHash,
    chain,
    repeatable,
    shape: data.shape,
    numClasses: data.numClasses,
    parameters: data.parameters,
    state: { parameters: array(0), firstMoment: array(1), secondMoment: array(2), ema: array(3) },
  };
  let answer: FromCheckpointThread;
  try {
    const info = await writeCheckpoint(data.folder, snapshot, data.retention);
    answer = { ...info, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(answer);
});
