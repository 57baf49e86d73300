import { configSchema, type Config } from '../shared/config/schema.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { PURPOSE, stream } from '../shared/random/philox.js';

/** A U-Net at one of the benchmark's sizes, and what is to be reached there. */
interface Size {
  readonly shape: readonly [number, number, number];
  readonly channels: number;
  readonly blocks: number;
  readonly batch: number;
  /** Timed steps of each side. */
  readonly rounds: number;
  /** The memory format of PyTorch's maps that is the faster one at this size. */
  readonly channelsLast: boolean;
  /** Speed against PyTorch's, at least. */
  readonly speed: number;
  /** Peak memory against PyTorch's, at most. */
  readonly memory: number;
}

const mnist = { shape: [28, 28, 1], channelsLast: false } as const;
const cifar10 = { shape: [32, 32, 3], channelsLast: true } as const;

/** d is the paper's CIFAR-10 model. */
export const SIZES = {
  a: { ...mnist, channels: 32, blocks: 2, batch: 16, rounds: 15, speed: 1.0, memory: 1.0 },
  b: { ...cifar10, channels: 64, blocks: 4, batch: 16, rounds: 7, speed: 1.2, memory: 1.0 },
  c: { ...cifar10, channels: 128, blocks: 8, batch: 8, rounds: 5, speed: 1.2, memory: 1.0 },
  d: { ...cifar10, channels: 256, blocks: 32, batch: 1, rounds: 3, speed: 1.2, memory: 1.2 },
} as const satisfies Record<string, Size>;

export type SizeName = keyof typeof SIZES;

/** What is timed: a size on so many threads. */
export interface EngineCase {
  readonly size: SizeName;
  readonly threads: number;
}

/** The model of a case, and its training: one slice a thread, as a worker's lanes take them. */
export function describeCase({ size, threads }: EngineCase): { config: Config; model: ModelDescription } {
  const { shape, channels, blocks, batch } = SIZES[size];
  const config = configSchema.parse({
    name: `bench-engine-${size}`,
    data: { set: shape[2] === 1 ? 'mnist' : 'cifar10' },
    model: { network: { kind: 'unet', channels, blocks, groups: Math.min(32, channels / 2) } },
    training: { steps: 1, batch: Math.max(batch, threads), slices: threads },
  });
  return { config, model: describeModel(config.model, { shape: [...shape], numClasses: 256 }) };
}

/**
 * Fills `into` with parameters of which none is zero: a fresh model's last layers are, and with them most gradients.
 */
export function startParameters(model: ModelDescription, into: Float32Array): void {
  initializeParameters(model.parameters, 0, into);
  const random = stream(0, PURPOSE.sample);
  let offset = 0;
  for (const { shape, init } of model.parameters) {
    const end = offset + shape.reduce((a, b) => a * b, 1);
    if (init.kind === 'zeros') for (let i = offset; i < end; i++) into[i] = 0.02 * random.normal();
    offset = end;
  }
}

/** The batch of every step: pixels without meaning, one byte a variable in the order height, width, channel. */
export function startExamples(config: Config, model: ModelDescription): Uint8Array {
  const random = stream(1, PURPOSE.sample);
  return Uint8Array.from({ length: config.training.batch * model.numVariables }, () => random.below(256));
}
