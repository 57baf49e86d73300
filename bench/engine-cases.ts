import type { z } from 'zod';
import { configSchema, type Config } from '../shared/config/schema.js';
import { allocateClasses, type Classes } from '../shared/method/classes.js';
import { describeModel, type ModelData, type ModelDescription } from '../shared/model/description.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { PURPOSE, stream } from '../shared/random/philox.js';

type Settings = z.input<typeof configSchema>;

/** A model at one of the benchmark's sizes, and what is to be reached there. */
interface Size {
  readonly set: Settings['data']['set'];
  readonly data: ModelData;
  /** The kind of its network names the peer: bench/peers/KIND.py. */
  readonly model: Settings['model'];
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

const mnist = { set: 'mnist', data: { shape: [28, 28, 1], numClasses: 256 }, channelsLast: false } as const;
const cifar10 = {
  set: 'cifar10',
  data: { shape: [32, 32, 3], numClasses: 256 },
  channelsLast: true,
} as const;
const text8 = { set: 'text8', data: { shape: [1, 250, 1], numClasses: 28 }, channelsLast: false } as const;

const sc09 = (length: number) =>
  ({
    set: 'sc09',
    data: { shape: [1, length, 1], numClasses: 65_536 },
    channelsLast: false,
  }) as const;

const unet = (channels: number, blocks: number) => ({
  network: { kind: 'unet' as const, channels, blocks, groups: Math.min(32, channels / 2) },
});
const transformer = (layers: number, width: number, heads: number) => ({
  network: { kind: 'transformer' as const, layers, width, heads, mlpWidth: 4 * width },
});
const diffwave = (blocks: number, channels: number) => ({
  output: 'logistic' as const,
  network: { kind: 'diffwave' as const, blocks, channels },
});

/** d is the paper's CIFAR-10 model, text-paper its text8 model, audio-paper its SC09 model. */
export const SIZES = {
  a: { ...mnist, model: unet(32, 2), batch: 16, rounds: 15, speed: 1.0, memory: 1.0 },
  b: { ...cifar10, model: unet(64, 4), batch: 16, rounds: 7, speed: 1.2, memory: 1.0 },
  c: { ...cifar10, model: unet(128, 8), batch: 8, rounds: 5, speed: 1.2, memory: 1.0 },
  d: { ...cifar10, model: unet(256, 32), batch: 1, rounds: 3, speed: 1.2, memory: 1.2 },
  'text-small': { ...text8, model: transformer(4, 256, 4), batch: 16, rounds: 9, speed: 1.0, memory: 1.0 },
  'text-paper': { ...text8, model: transformer(12, 768, 12), batch: 4, rounds: 3, speed: 1.0, memory: 1.2 },
  'audio-small': { ...sc09(4000), model: diffwave(8, 64), batch: 2, rounds: 9, speed: 1.0, memory: 1.0 },
  'audio-paper': { ...sc09(16_000), model: diffwave(36, 256), batch: 1, rounds: 3, speed: 1.0, memory: 1.2 },
} as const satisfies Record<string, Size>;

export type SizeName = keyof typeof SIZES;

/** What is timed: a size on so many threads. */
export interface EngineCase {
  readonly size: SizeName;
  readonly threads: number;
}

/** The model of a case, and its training: one slice a thread, as a worker's lanes take them. */
export function describeCase({ size, threads }: EngineCase): { config: Config; model: ModelDescription } {
  const { set, data, model, batch }: Size = SIZES[size];
  const config = configSchema.parse({
    name: `bench-engine-${size}`,
    data: { set },
    model,
    training: { steps: 1, batch: Math.max(batch, threads), slices: threads },
  });
  return { config, model: describeModel(config.model, data) };
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

/** The batch of every step: classes without meaning, in the order height, width, channel. */
export function startExamples(config: Config, { shape, numClasses }: ModelDescription): Classes {
  const random = stream(1, PURPOSE.sample);
  const size = shape.reduce((product, extent) => product * extent);
  const examples = allocateClasses(numClasses, config.training.batch * size);
  return examples.map(() => random.below(numClasses));
}
