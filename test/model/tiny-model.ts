import type { ModelConfig } from '../../shared/config/schema.js';
import type { Call, Engine } from '../../shared/engine/engine.js';
import { describeModel, type ModelDescription } from '../../shared/model/description.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

export interface TinyModel {
  readonly config: ModelConfig;
  readonly description: ModelDescription;
  readonly parameters: Float32Array;
}

/** A model of 4 x 4 x 2 variables of 5 classes, fresh but for its last layers, which would start at zero. */
export function tinyModel(settings: Partial<ModelConfig> = {}, dropout = 0): TinyModel {
  const config: ModelConfig = {
    kind: 'oa',
    output: 'softmax',
    ceWeight: 1e-3,
    timeSteps: 'uniform',
    network: {
      kind: 'unet',
      channels: 8,
      multipliers: [1],
      blocks: 1,
      attention: 'middle',
      heads: 1,
      groups: 4,
      dropout,
    },
    ...settings,
  };
  const description = describeModel(config, { shape: [4, 4, 2], numClasses: 5 });
  const parameters = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, parameters);
  const random = stream(1, PURPOSE.sample);
  for (let i = 0; i < parameters.length; i++) if (parameters[i] === 0) parameters[i] = 0.1 * random.normal();
  return { config, description, parameters };
}

/** Examples without meaning, a byte a variable. */
export function tinyExamples({ description }: TinyModel, count: number, seed = 0): Uint8Array {
  const random = stream(seed, PURPOSE.sample);
  return Uint8Array.from({ length: count * description.numVariables }, () => random.below(5));
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
