import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../shared/config/load.js';
import { configSchema, type Config } from '../shared/config/schema.js';
import { damageOf, defaultCacheFolder, digestOf } from '../shared/data/cache.js';
import type { Dataset } from '../shared/data/dataset.js';
import { provideFiles } from '../shared/data/fetch.js';
import { openDataset } from '../shared/data/open.js';
import { unreadable } from '../shared/data/own-files.js';
import { sources } from '../shared/data/sources.js';
import type { TextLayout } from '../shared/data/text-layout.js';
import { textDataset } from '../shared/data/text.js';
import { UsageError, UserError } from '../shared/errors.js';
import { allocateClasses, bytesOf } from '../shared/method/classes.js';
import { packageRoot } from '../shared/package.js';
import { readReferenceCurve, type RunName } from './reference-curve.js';

/** Where data are that this machine can't fetch by itself. */
export interface GivenData {
  /** A file that begins with the part of text8; absent: the published set. */
  readonly text?: string;
  /** The folder of clips. */
  readonly audio?: string;
}

/** What is trained, and on what: a run that was recorded. */
export interface LearningRun {
  readonly about: string;
  /** Whose curve it is compared with. */
  readonly reference: string;
  readonly config: () => Promise<Config>;
  /**
   * Throws UserError where the data aren't here, or aren't those that the reference was trained on.
   *
   * @param say takes lines of progress
   */
  readonly open: (config: Config, given: GivenData, say: (line: string) => void) => Promise<Dataset>;
}

export const RUNS: Readonly<Record<RunName, LearningRun>> = {
  mnist: {
    about: 'MNIST, U-Net',
    reference: 'the original',
    config: async () => (await loadConfig('reference-mnist.yaml')).config,
    open: ({ data }, _, say) => openDataset(data, { baseFolder: packageRoot, fetch: true, report: say }),
  },
  text8: {
    about: 'the beginning of text8, transformer',
    reference: 'the original',
    config: async () => (await loadConfig('reference-text8.yaml')).config,
    open: openText8,
  },
  audio: {
    about: 'spoken digits in four stages, DiffWave',
    reference: 'bench/peers/audio_learning.py in PyTorch',
    config: () => Promise.resolve(audioConfig),
    open: openAudio,
  },
};

const audioConfig = configSchema.parse({
  name: 'reference-audio',
  data: { set: 'wav', length: 2000, testFraction: 0.1 },
  model: {
    kind: 'upscale',
    upscale: { base: 16, parametrization: 'direct' },
    ceWeight: 1e-4,
    network: { kind: 'diffwave', channels: 32, blocks: 8, dilationCycle: 8 },
  },
  training: { steps: 600, batch: 8, slices: 1, learningRate: 1e-3, clip: 1000, ema: 0.99 },
  evaluation: { batch: 8 },
});

const TEXT8_BYTES = 6_877_825;

/** The last 5 % are the test split. Starts are uniform over the training split, as the reference's: one piece. */
export function text8Layout(length: number): TextLayout {
  const numHeldOut = Math.floor(TEXT8_BYTES / 20);
  const [validation, test] = [TEXT8_BYTES - 2 * numHeldOut, TEXT8_BYTES - numHeldOut];
  return {
    train: { begin: 0, end: validation },
    validation: { begin: validation, end: test },
    test: { begin: test, end: TEXT8_BYTES - (numHeldOut % length) },
    length,
    remainder: 0,
    numPieces: 1,
  };
}

async function openText8(
  { data }: Config,
  { text }: GivenData,
  say: (line: string) => void,
): Promise<Dataset> {
  const whole = text === undefined ? await publishedText8(say) : await readFile(text).catch(unreadable(text));
  const bytes = whole.subarray(0, TEXT8_BYTES);
  const sha256 = readReferenceCurve('text8').dataSha256!;
  const damage = damageOf(await digestOf([bytes]), { name: 'text8', bytes: TEXT8_BYTES, sha256 });
  if (damage) {
    throw new UserError(
      `the beginning of ${text ?? 'text8'} ${damage}. Give a file that begins as text8 does, or none and the published set is fetched`,
    );
  }
  return textDataset('text8', bytes, text8Layout(data.length!), { vocabulary: 'text8', context: 0 });
}

async function publishedText8(report: (line: string) => void): Promise<Uint8Array> {
  const cacheFolder = defaultCacheFolder();
  const { files } = await provideFiles(sources.text8, { cacheFolder, fetch: true, report });
  return files.get('text8')!;
}

async function openAudio({ data }: Config, { audio }: GivenData): Promise<Dataset> {
  if (!audio)
    throw new UsageError('--run audio needs --audio FOLDER: the clips that its reference was trained on');
  const dataset = await openDataset(
    { ...data, folder: path.resolve(audio) },
    { baseFolder: packageRoot, fetch: false },
  );
  const sha256 = digestOfSplits(dataset);
  const expected = readReferenceCurve('audio').dataSha256!;
  if (sha256 !== expected)
    throw new UserError(
      `${audio} holds other clips than the reference was trained on: sha256 ${sha256} instead of ${expected}. ` +
        'bench/peers/audio_learning.py records a curve of others',
    );
  return dataset;
}

/** sha256 (hex) of the classes of the training and then the test examples, uint16 little-endian. */
function digestOfSplits({ train, test, shape, numClasses }: Dataset): string {
  const example = allocateClasses(numClasses, shape[1]);
  const hash = createHash('sha256');
  for (const split of [train, test]) {
    for (let i = 0; i < split.count; i++) {
      split.read(i, example);
      hash.update(bytesOf(example));
    }
  }
  return hash.digest('hex');
}
