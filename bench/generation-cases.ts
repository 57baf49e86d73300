import type { z } from 'zod';
import { configSchema } from '../shared/config/schema.js';
import { describeModel, type ModelData } from '../shared/model/description.js';

type Model = z.input<typeof configSchema>['model'];

/** A small model of a medium, and how many examples are generated together. */
interface GenerationCase {
  readonly data: ModelData;
  readonly model: Model;
  readonly batch: number;
}

/** The image model is that of mnist.yaml. */
export const MEDIA = {
  text: {
    data: { shape: [1, 128, 1], numClasses: 28 },
    model: { network: { kind: 'transformer', layers: 4, width: 128, heads: 4, mlpWidth: 512 } },
    batch: 16,
  },
  image: {
    data: { shape: [28, 28, 1], numClasses: 256 },
    model: { network: { kind: 'unet', channels: 16, multipliers: [1, 2, 4], blocks: 1, groups: 8 } },
    batch: 9,
  },
  audio: {
    data: { shape: [1, 2000, 1], numClasses: 65_536 },
    model: {
      kind: 'upscale',
      upscale: { base: 16, parametrization: 'direct' },
      network: { kind: 'diffwave', blocks: 8, channels: 32 },
    },
    batch: 4,
  },
} as const satisfies Record<string, GenerationCase>;

export type Medium = keyof typeof MEDIA;

/** The model of a medium; which set it is for does not matter here. */
export function describeCase(medium: Medium) {
  const { data, model }: GenerationCase = MEDIA[medium];
  const config = configSchema.parse({
    name: `bench-generation-${medium}`,
    data: { set: 'mnist' },
    model,
    training: { steps: 1, batch: 1, slices: 1 },
  }).model;
  return { config, description: describeModel(config, data) };
}
