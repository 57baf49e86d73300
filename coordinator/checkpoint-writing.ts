import type { Retention } from '../shared/checkpoint/retention.js';
import { writeCheckpoint, type Snapshot } from '../shared/checkpoint/write.js';
import { residualIn, stateIn } from '../shared/exchange/state-copy.js';

/** What stays the same in every checkpoint of a run. */
export interface CheckpointData extends Omit<
  Snapshot,
  'step' | 'chain' | 'repeatable' | 'state' | 'residual'
> {
  readonly folder: string;
  readonly numParameters: number;
  /** Loss components. */
  readonly numSteps: number;
  readonly retention: Retention;
}

export interface ToCheckpointWriter {
  readonly step: number;
  readonly chain: string;
  readonly repeatable: boolean;
  /** A copy of the state: see `stateIn`, `residualIn`. */
  readonly buffer: SharedArrayBuffer;
}

export type FromCheckpointWriter =
  | {
      readonly path: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly seconds: number;
      readonly warnings: string[];
    }
  | { readonly error: string };

/** Writes a checkpoint, and says how that went. */
export async function writeFor(
  { folder, numParameters, numSteps, retention, ...constant }: CheckpointData,
  { step, chain, repeatable, buffer }: ToCheckpointWriter,
): Promise<FromCheckpointWriter> {
  const started = performance.now();
  const state = stateIn(buffer, { numParameters, numSteps });
  const residual = residualIn(buffer, { numParameters, numSteps });
  try {
    const snapshot = { ...constant, step, chain, repeatable, state, ...(residual && { residual }) };
    const info = await writeCheckpoint(folder, snapshot, retention);
    return { ...info, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
