import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What a side-car says of a recorded tensor; the noise is the difference between a float32 and a float64 run. */
export interface TensorNote {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly float32_vs_float64?: { readonly max_abs: number; readonly rel_l2: number };
}

/** Of the U-Net, the transformer or the audio network; which of these are there depends on `net`. */
export interface Architecture {
  readonly n_channels: number;
  readonly num_res_blocks: number;
  readonly ch_mult: number[];
  readonly attn_resolutions: number[];
  readonly num_heads: number;
  readonly num_layers: number;
  readonly emb_dim: number;
  readonly mlp_dim: number;
  readonly num_blocks: number;
  readonly features: number;
  readonly dilation_cycle: number;
}

/** The settings of a case; which of them are there depends on its kind. */
export interface CaseConfig {
  readonly batch: number;
  readonly net: string;
  readonly model: string;
  readonly output_distribution?: string;
  readonly upscale_mode?: string;
  readonly upscale_direct_parametrization?: boolean;
  readonly upscale_branch_factor?: number;
  readonly num_mixtures?: number;
  readonly ce_term: number;
  readonly data_shape: readonly number[];
  readonly num_classes: number;
  readonly architecture: Architecture;
  readonly dist: string;
  readonly optimizer: {
    readonly learning_rate: number;
    readonly b1: number;
    readonly b2: number;
    readonly eps?: number;
    readonly weight_decay?: number;
    readonly warmup_steps?: number;
    readonly clip_grad: number;
    readonly ema_momentum: number;
  };
}

/** How a tensor too large to keep was sampled: every `stride`th element, `count` of them. */
interface Compaction {
  readonly of?: readonly number[];
  readonly stride?: number;
  readonly count?: number;
}

/** The JSON beside a case's numbers. */
export interface SideCar {
  readonly kind: string;
  readonly config: CaseConfig;
  readonly files: readonly string[];
  readonly params_files?: readonly string[];
  readonly num_params?: number;
  readonly tensors: Readonly<Record<string, TensorNote>>;
  readonly compacted?: Readonly<Record<string, Compaction>>;
  readonly parameters_with_exactly_zero_gradient?: readonly string[];
}

export interface ParityCase {
  /** Of the side-car, without its ending. */
  readonly name: string;
  readonly folder: string;
  readonly sideCar: SideCar;
}

/** Names of the side-cars in a folder. JSON files without kind and tensors are notes of another sort. */
export function findCases(folder: string): string[] {
  const isCase = (file: string) => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    try {
      const json: unknown = JSON.parse(text);
      return typeof json === 'object' && json !== null && ('kind' in json || 'tensors' in json);
    } catch {
      return true; // Reading it as a case says what is wrong.
    }
  };
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json') && isCase(file))
    .map((file) => path.basename(file, '.json'))
    .sort();
}

/** Reads a side-car; fails where it is none. */
export function readCase(folder: string, name: string): ParityCase {
  const file = path.join(folder, `${name}.json`);
  const sideCar = JSON.parse(readFileSync(file, 'utf8')) as SideCar;
  assert.equal(typeof sideCar.kind, 'string', `${file} has tensors, but no kind`);
  return { name, folder, sideCar };
}
