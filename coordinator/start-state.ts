import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { loadCheckpoint } from '../shared/checkpoint/load.js';
import type { LoadedConfig } from '../shared/config/load.js';
import { EXIT, UserError } from '../shared/errors.js';
import { CHAIN_START } from '../shared/exchange/chain.js';
import type { ModelDescription } from '../shared/model/description.js';
import { initializeParameters } from '../shared/model/initialize.js';
import type { Replica } from '../shared/optimizer/replica.js';

/** Where a run starts. */
export interface StartState {
  /** Committed steps. */
  readonly step: number;
  readonly chain: string;
  /** Absent where it starts afresh. */
  readonly resumed?: { readonly checkpoint: string; readonly skipped: string[] };
}

/**
 * Fills the replica, and the residual where there is one, from a checkpoint or with fresh parameters.
 *
 * @param resume `latest`, `never`, or the path of a checkpoint
 * @param folder the run's checkpoints
 * @param dataHash of a user's own files: see `Dataset`
 * @throws UserError where the checkpoint isn't there, is damaged, or belongs to another config or other data
 */
export async function startState(
  { config, hash }: LoadedConfig,
  resume: string,
  folder: string,
  { parameters }: ModelDescription,
  dataHash: string | undefined,
  { replica, residual }: { readonly replica: Replica; readonly residual?: Float32Array },
): Promise<StartState> {
  if (resume !== 'never') {
    const at = resume === 'latest' ? folder : resume;
    const found = await loadCheckpoint(at, {
      ...{ parameters, config, configHash: hash, state: replica },
      ...(residual && { residual }),
      ...(dataHash !== undefined && { dataHash }),
    });
    if (found) {
      const { step, chain, path: checkpoint, skipped } = found;
      if (step <= config.training.steps) return { step, chain, resumed: { checkpoint, skipped } };
      throw new UserError(
        `${checkpoint} is at step ${step}, beyond training.steps ${config.training.steps}: ` +
          'raise it with --steps, or start anew with --resume never or another --run-dir',
        EXIT.usage,
      );
    }
    if (resume !== 'latest') throw new UserError(`${resume}: there is no checkpoint`);
  }
  initializeParameters(parameters, config.seed, replica.parameters);
  replica.ema.set(replica.parameters);
  return { step: 0, chain: CHAIN_START };
}

/** Moves the checkpoints of a former run out of the way of one that starts afresh; returns where they went. */
export async function setAside(folder: string): Promise<string | undefined> {
  if (!existsSync(folder)) return undefined;
  const aside = `${folder}-before-${new Date().toISOString().replaceAll(':', '-')}`;
  await rename(folder, aside);
  return aside;
}
