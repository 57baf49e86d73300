import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode } from 'fast-png';
import { writeCheckpoint } from '../../shared/checkpoint/write.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { describeModel, type ModelDescription } from '../../shared/model/description.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { noise } from '../data/archives.js';

export interface TinyRun {
  /** Its folder, with a checkpoint of step 3. */
  readonly folder: string;
  readonly config: Config;
  readonly description: ModelDescription;
  readonly ema: Float32Array;
}

/** A run of a model of 4 x 4 grey pixels that was never trained, and its data set of 20 PNG files of noise. */
export async function tinyRun(home: string): Promise<TinyRun> {
  const images = path.join(home, 'images');
  mkdirSync(images);
  for (let i = 0; i < 20; i++)
    writeFileSync(
      path.join(images, `${i}.png`),
      encode({ width: 4, height: 4, channels: 1, depth: 8, data: noise(16, i) }),
    );
  const config = configSchema.parse({
    name: 'tiny',
    seed: 7,
    data: { set: 'folder', folder: images, testFraction: 0.5 },
    model: { network: { kind: 'unet', channels: 8, blocks: 1, groups: 4 } },
    training: { steps: 3, batch: 4, slices: 2 },
    evaluation: { batch: 4 },
    samples: { count: 5, budget: 6, batch: 2 },
  });
  const description = describeModel(config.model, { shape: [4, 4, 1], numClasses: 256 });
  const ema = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, ema);
  const random = stream(1, PURPOSE.sample);
  // Layers that start at zero would make every prediction the same.
  for (let i = 0; i < ema.length; i++) if (ema[i] === 0) ema[i] = 0.1 * random.normal();
  const run = { folder: path.join(home, 'run'), config, description, ema };
  await saveCheckpoint(run, 3);
  return run;
}

/** Saves the model as the checkpoint of a step; returns its folder. */
export async function saveCheckpoint(run: TinyRun, step: number): Promise<string> {
  const { folder, config, description, ema } = run;
  const other = new Float32Array(ema.length);
  const snapshot = {
    ...{ step, run: 'tiny', config, configHash: '0'.repeat(64), chain: '0'.repeat(64), repeatable: true },
    ...{ shape: description.shape, numClasses: 256, parameters: description.parameters },
    state: { parameters: other, firstMoment: other, secondMoment: other, ema },
  };
  const retention = { keepLast: 9, keepEvery: 0 };
  return (await writeCheckpoint(path.join(folder, 'checkpoints'), snapshot, retention)).path;
}
