import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode } from 'fast-png';
import { writeCheckpoint, type Snapshot } from '../../shared/checkpoint/write.js';
import { dataShape } from '../../shared/config/data-shape.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { describeModel, type ModelDescription } from '../../shared/model/description.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { encodeWav } from '../../shared/render/wav.js';
import { noise } from '../data/archives.js';

export interface TinyRun {
  /** Its folder, with a checkpoint of step 3. */
  readonly folder: string;
  readonly config: Config;
  readonly description: ModelDescription;
  readonly ema: Float32Array;
  /** Falling in each stage; NaN for every fifth step. */
  readonly components: Float64Array;
}

const unet = { kind: 'unet', channels: 8, blocks: 1, groups: 4 };
const transformer = { kind: 'transformer', layers: 1, width: 8, heads: 2, mlpWidth: 16 };
const diffwave = { kind: 'diffwave', channels: 8, blocks: 2, dilationCycle: 2 };

/** Data and model of each kind of run: 4 x 4 grey images, texts of 12 characters, clips of 64 samples. */
const KINDS = {
  image: { data: 'folder', model: { network: unet } },
  upscale: { data: 'folder', model: { kind: 'upscale', upscale: { base: 16 }, network: unet } },
  text: { data: 'text', model: { network: transformer } },
  arm: { data: 'text', model: { kind: 'arm', network: transformer } },
  permuted: { data: 'text', model: { kind: 'permuted', network: transformer } },
  audio: {
    data: 'wav',
    model: { kind: 'upscale', upscale: { base: 256, parametrization: 'direct' }, network: diffwave },
  },
} as const;

/** A run of a model that was never trained, and its data: 20 PNG files of noise, a text, or 8 WAV files of noise. */
export async function tinyRun(
  home: string,
  kind: keyof typeof KINDS = 'image',
  more: Pick<Snapshot, 'dataHash'> = {},
): Promise<TinyRun> {
  const { data: set, model } = KINDS[kind];
  const config = configSchema.parse({
    name: 'tiny',
    seed: 7,
    data: { set, testFraction: 0.5, ...WRITE[set](home) },
    model,
    training: { steps: 3, batch: 4, slices: 2 },
    evaluation: { batch: 4 },
    samples: { count: 5, ...(kind !== 'arm' && kind !== 'permuted' && { budget: 6 }), batch: 2 },
  });
  const data = dataShape(config.data) ?? { shape: [4, 4, 1], numClasses: 256 };
  const description = describeModel(config.model, data);
  const ema = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, ema);
  const random = stream(1, PURPOSE.sample);
  // Layers that start at zero would make every prediction the same.
  for (let i = 0; i < ema.length; i++) if (ema[i] === 0) ema[i] = 0.1 * random.normal();
  const { numSteps, numPositions } = description;
  const components = Float64Array.from({ length: numSteps }, (_, t) =>
    t % 5 === 3 ? NaN : (1 + 4 / (1 + (t % numPositions))) / numSteps,
  );
  const run = { folder: path.join(home, 'run'), config, description, ema, components };
  await saveCheckpoint(run, 3, more);
  return run;
}

const WRITE = {
  folder(home: string) {
    const folder = path.join(home, 'images');
    mkdirSync(folder);
    for (let i = 0; i < 20; i++)
      writeFileSync(
        path.join(folder, `${i}.png`),
        encode({ width: 4, height: 4, channels: 1, depth: 8, data: noise(16, i) }),
      );
    return { folder };
  },
  text(home: string) {
    const file = path.join(home, 'words.txt');
    mkdirSync(home, { recursive: true });
    writeFileSync(file, 'the cat sat on the mat and '.repeat(20));
    return { file, vocabulary: 'text8', length: 12, testFraction: 0.25 };
  },
  wav(home: string) {
    const folder = path.join(home, 'clips');
    mkdirSync(folder);
    for (let i = 0; i < 8; i++) {
      const samples = new Int16Array(noise(128, i).buffer);
      writeFileSync(path.join(folder, `${i}.wav`), encodeWav(samples, 1000));
    }
    return { folder, length: 64, sampleRate: 1000 };
  },
} as const;

/** Saves the model as the checkpoint of a step; returns its folder. */
export async function saveCheckpoint(
  run: TinyRun,
  step: number,
  more: Pick<Snapshot, 'dataHash'> = {},
): Promise<string> {
  const { folder, config, description, ema, components } = run;
  const { shape, numClasses, parameters } = description;
  const other = new Float32Array(ema.length);
  const snapshot = {
    ...{ step, run: 'tiny', config, configHash: '0'.repeat(64), chain: '0'.repeat(64), repeatable: true },
    ...{ shape, numClasses, parameters, ...more },
    state: { parameters: other, firstMoment: other, secondMoment: other, ema, components },
  };
  const retention = { keepLast: 9, keepEvery: 0 };
  return (await writeCheckpoint(path.join(folder, 'checkpoints'), snapshot, retention)).path;
}
