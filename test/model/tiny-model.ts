import { configSchema, type ModelConfig, type UnetConfig } from '../../shared/config/schema.js';
import type { Call, Engine } from '../../shared/engine/engine.js';
import { allocateClasses, type Classes } from '../../shared/method/classes.js';
import { describeModel, type ModelData, type ModelDescription } from '../../shared/model/description.js';
import { exampleSize } from '../../shared/model/inputs.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

export interface TinyModel<Config extends ModelConfig = ModelConfig> {
  readonly config: Config;
  readonly description: ModelDescription;
  readonly parameters: Float32Array;
}

export const TINY_UNET = {
  kind: 'unet',
  channels: 8,
  multipliers: [1],
  blocks: 1,
  attention: 'middle',
  heads: 1,
  groups: 4,
  dropout: 0,
} as const satisfies Record<keyof UnetConfig, unknown>;
export const TINY_TRANSFORMER = { kind: 'transformer', layers: 1, width: 8, heads: 2, mlpWidth: 16 };
export const TINY_DIFFWAVE = { kind: 'diffwave', channels: 8, blocks: 2, dilationCycle: 2 };

/** A model of 4 x 4 x 2 variables of 5 classes, fresh but for its last layers, which would start at zero. */
export function tinyModel(
  settings: Partial<ModelConfig> = {},
  dropout = 0,
): TinyModel<ModelConfig & { network: UnetConfig }> {
  const network = { ...TINY_UNET, dropout };
  const model = tinyModelOf({ network, ...settings }, { shape: [4, 4, 2], numClasses: 5 });
  return model as ReturnType<typeof tinyModel>;
}

/** The same for other settings, as they stand in a config, and other data. */
export function tinyModelOf(settings: object, data: ModelData): TinyModel {
  const config = configSchema.shape.model.parse(settings);
  const description = describeModel(config, data);
  const parameters = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, parameters);
  const random = stream(1, PURPOSE.sample);
  for (let i = 0; i < parameters.length; i++) if (parameters[i] === 0) parameters[i] = 0.1 * random.normal();
  return { config, description, parameters };
}

/** Examples without meaning. */
export function tinyExamples({ description }: TinyModel, count: number, seed = 0): Classes {
  const random = stream(seed, PURPOSE.sample);
  const { numClasses } = description;
  const examples = allocateClasses(numClasses, count * exampleSize(description));
  return examples.map(() => random.below(numClasses));
}

/** An engine that computes nothing (every output 0) and keeps a copy of what it was given. */
export function recordingEngine(): { readonly engine: Engine; readonly calls: Call['inputs'][] } {
  const calls: Call['inputs'][] = [];
  const engine: Engine = {
    name: 'reference',
    provider: 'cpu',
    description: 'recording',
    compile: (program) =>
      Promise.resolve({
        program,
        run: ({ inputs }) => {
          calls.push(structuredClone(inputs));
          return Promise.resolve();
        },
        dispose: () => Promise.resolve(),
      }),
    dispose: () => Promise.resolve(),
  };
  return { engine, calls };
}
