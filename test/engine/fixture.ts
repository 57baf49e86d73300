import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';

interface Noise {
  readonly max_abs: number;
  readonly rel_l2: number;
}

interface SideCar {
  readonly config: {
    readonly batch: number;
    readonly ce_term: number;
    readonly data_shape: readonly [number, number, number];
    readonly num_classes: number;
    readonly architecture: {
      readonly n_channels: number;
      readonly num_res_blocks: number;
      readonly ch_mult: number[];
      readonly attn_resolutions: number[];
      readonly num_heads: number;
    };
  };
  readonly files: readonly string[];
  readonly params_files: readonly string[];
  readonly tensors: Record<string, { readonly float32_vs_float64?: Noise }>;
  readonly compacted: Record<
    string,
    { readonly kind: string; readonly stride: number; readonly count: number }
  >;
  readonly parameters_with_exactly_zero_gradient: readonly string[];
}

/** Numbers that the original implementation gave: `test/fixtures`, whose README is the side-car's schema. */
export class Fixture {
  readonly name: string;
  readonly sideCar: SideCar;
  readonly #tensors = new Map<string, Float32Array | Int32Array>();

  constructor(name: string) {
    const folder = path.join(packageRoot, 'test', 'fixtures');
    this.name = name;
    this.sideCar = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as SideCar;
    for (const file of [...this.sideCar.files, ...this.sideCar.params_files])
      readSafetensors(path.join(folder, file), this.#tensors);
  }

  floats(name: string): Float32Array {
    return this.#get(name) as Float32Array;
  }

  ints(name: string): Int32Array {
    return this.#get(name) as Int32Array;
  }

  #get(name: string): Float32Array | Int32Array {
    const tensor = this.#tensors.get(name);
    assert.ok(tensor, `${this.name} holds no ${name}`);
    return tensor;
  }

  /** Compares a whole tensor with the recorded one, which may be a sample of it with its norm. */
  compare(name: string, actual: Float32Array): void {
    const compaction = this.sideCar.compacted[name];
    if (!compaction) return this.#close(name, actual);
    this.#close(`${name}@norm`, Float32Array.of(norm(actual)));
    if (compaction.kind === 'sample') {
      const { stride, count } = compaction;
      const sample = Float32Array.from({ length: count }, (_, i) => actual[i * stride]!);
      return this.#close(`${name}@sample`, sample);
    }
    const rows = this.ints(`${name}@rows`);
    const values = this.floats(`${name}@row_values`);
    const width = values.length / rows.length;
    const picked = values.map((_, i) => actual[rows[Math.floor(i / width)]! * width + (i % width)]!);
    this.#close(`${name}@row_values`, picked);
  }

  /** The tolerance that the fixtures ask for: 20 times the original's own float32 noise, and floors. */
  #close(name: string, actual: Float32Array): void {
    const expected = this.floats(name);
    const noise = this.sideCar.tensors[name]?.float32_vs_float64 ?? { max_abs: 0, rel_l2: 0 };
    assert.equal(actual.length, expected.length, name);
    const differences = expected.map((value, i) => actual[i]! - value);
    const relative = norm(differences) / norm(expected);
    const absolute = differences.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    assert.ok(
      relative <= Math.max(20 * noise.rel_l2, 2e-5) || absolute <= Math.max(20 * noise.max_abs, 1e-6),
      `${this.name} ${name}: off by ${relative} (relative L2), ${absolute} (absolute)`,
    );
  }
}

export function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function readSafetensors(file: string, into: Map<string, Float32Array | Int32Array>): void {
  const bytes = readFileSync(file);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  for (const [name, { dtype, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const data = new Uint8Array(bytes.subarray(headerEnd + data_offsets[0], headerEnd + data_offsets[1]))
      .buffer;
    into.set(name, dtype === 'F32' ? new Float32Array(data) : new Int32Array(data));
  }
}
