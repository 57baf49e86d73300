import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadCheckpoint } from '../../shared/checkpoint/load.js';
import { ARRAYS, FILES, type TrainingState } from '../../shared/checkpoint/state.js';
import { writeCheckpoint, type Snapshot } from '../../shared/checkpoint/write.js';
import { configHash } from '../../shared/config/hash.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { countParameters, type ParameterSpec } from '../../shared/networks/network.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

const init = { kind: 'zeros' } as const;

/** A convolution kernel, a dense layer over locations, and two that memory and original hold alike. */
export const parameters: readonly ParameterSpec[] = [
  { name: 'block/conv1/kernel', shape: [9, 4, 2], originalShape: [3, 3, 2, 4], axes: [0, 1, 3, 2], init },
  { name: 'block/conv1/bias', shape: [4], originalShape: [4], init },
  { name: 'attention/q/kernel', shape: [5, 3], originalShape: [3, 5], axes: [1, 0], init },
  { name: 'embed', shape: [2, 3], originalShape: [2, 3], init },
];

export const config: Config = configSchema.parse({
  name: 'made-up',
  seed: 7,
  data: { set: 'mnist' },
  model: { network: { kind: 'unet', channels: 8, blocks: 1, groups: 4 } },
  training: { steps: 1000, batch: 16, slices: 4 },
});

/** Loss components. */
export const NUM_STEPS = 5;

/** Numbers of any size, among them the ones that a text format would lose. */
export function randomState(seed: number, specs = parameters): TrainingState {
  const random = stream(seed, PURPOSE.sample);
  const array = () => {
    const numbers = Float32Array.from({ length: countParameters(specs) }, () => random.normal());
    numbers.set([-0, 1e-45, Infinity, NaN], 3);
    return numbers;
  };
  const components = Float64Array.of(NaN, random.normal(), 0, -random.normal(), NaN);
  return { parameters: array(), firstMoment: array(), secondMoment: array(), ema: array(), components };
}

export function emptyState(): TrainingState {
  const array = () => new Float32Array(countParameters(parameters));
  const components = new Float64Array(NUM_STEPS);
  return { parameters: array(), firstMoment: array(), secondMoment: array(), ema: array(), components };
}

/** The arrays to the bit, comparable and readable. */
export const bitsOf = (state: TrainingState) =>
  ARRAYS.map((array) => Buffer.from(new Uint8Array(state[array].slice().buffer)).toString('hex'));

/** A snapshot at `step`, whose state is a function of the step. */
export function snapshotAt(step: number, more: Partial<Snapshot> = {}): Snapshot {
  return {
    step,
    run: 'run-1',
    config,
    configHash: configHash(config),
    chain: `chain-${step}`,
    repeatable: true,
    shape: [28, 28, 1],
    numClasses: 256,
    parameters,
    state: randomState(step),
    ...more,
  };
}

export const keepAll = { keepLast: 1000, keepEvery: 0 };

export const write = (folder: string, step: number, more: Partial<Snapshot> = {}, retention = keepAll) =>
  writeCheckpoint(folder, snapshotAt(step, more), retention);

/** Loads into an empty state, which comes back too. */
export async function load(at: string, ours = config) {
  const state = emptyState();
  const loaded = await loadCheckpoint(at, { parameters, config: ours, configHash: configHash(ours), state });
  return { loaded, state };
}

/** The files of a checkpoint. */
export const filesOf = (checkpoint: string): string[] => readdirSync(checkpoint).toSorted();

export const tensorFiles = Object.values(FILES);

/** Changes one bit of a file, or its length. */
export function flip(file: string, position: number): void {
  const bytes = readFileSync(file);
  bytes[position]! ^= 1;
  writeFileSync(file, bytes);
}

export const stepName = (step: number) => `step-${String(step).padStart(8, '0')}`;
export const stepPath = (folder: string, step: number) => path.join(folder, stepName(step));
