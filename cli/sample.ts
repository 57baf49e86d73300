import path from 'node:path';
import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { encodeGrid } from '../shared/data/grid.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError } from '../shared/errors.js';
import { naivePolicy } from '../shared/method/policy.js';
import { Sampler } from '../shared/model/sample.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { filmOf } from './film.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';
import { checkWritable, writeOutput } from './output-file.js';

interface Flags extends EngineFlags {
  readonly num?: number;
  readonly budget?: number;
  readonly seed?: number;
  readonly frames?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;
/** Where neither flag nor config says how many. */
const DEFAULT_NUM = 64;
/** Larger PNGs than this many pictures can't be held in memory. */
const MAX_PICTURES = 10_000;

/** `ardm sample`: a grid of images from a trained model. */
export function register(program: Command): void {
  const command = program
    .command('sample')
    .description('generate images with a trained model, into a PNG grid')
    .argument('<run>', 'run folder, or one checkpoint in it')
    .option('--num <n>', "images (default: as many as in the run's own grids)", wholeNumber(1, MAX_PICTURES))
    .option(
      '--budget <calls>',
      "network calls an image, fewer are faster and look worse (default: as in the run's own grids)",
      wholeNumber(1, WORD),
    )
    .option('--seed <n>', "image i of a seed is always the same (default: the run's)", wholeNumber(0, WORD))
    .addOption(
      new Option(
        '--frames [n]',
        'also a PNG with a row of n states an image, from empty to full, grey where unknown',
      )
        .preset('8')
        .argParser(wholeNumber(2, 1000)),
    )
    .option('-o, --out <file>', 'the PNG (default: <name of the run>-samples.png)');
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((run: string, flags: Flags) => interruptible((signal) => sample(run, flags, signal)));
}

async function sample(run: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { batch, count } = config.samples;
  const { shape, numVariables, numClasses } = description;
  const { num = count || DEFAULT_NUM, seed = config.seed, frames } = flags;
  const budget = flags.budget ?? Math.min(config.samples.budget ?? numVariables, numVariables);
  const policy = naivePolicy(numVariables, budget);
  if (frames !== undefined) checkFrames(frames, num, budget);
  const out = flags.out ?? `${config.name}-samples.png`;
  const filmOut = framesPath(out);
  await checkWritable(out);
  if (frames !== undefined) await checkWritable(filmOut);

  const parameters = await trained.loadEma(description.parameters);
  const { engine } = await selectEngine(engineChoice(flags));
  let numCalls = 0;
  const onCall = () => meter.update(++numCalls);
  // Always whole batches of the run's size: other sizes may round otherwise, and a seed would give other images.
  const sampler = await Sampler.create(watched(engine, signal, onCall), description, config.model, batch);
  console.error(
    `${num} images by step ${step} of ${config.name}, ${budget} calls each; ${engine.description}`,
  );
  const meter = new Meter('network calls', Math.ceil(num / batch) * budget);
  let samples: Uint8Array;
  try {
    samples = await sampler.run({ parameters, seed, first: 0, count: num, policy });
  } finally {
    meter.close();
  }
  const { seconds } = meter;

  await writeOutput(out, encodeGrid(samples, shape, numClasses, Math.ceil(Math.sqrt(num))));
  if (frames !== undefined) {
    const film = filmOf(samples, description, seed, policy, frames);
    await writeOutput(filmOut, encodeGrid(film, shape, 256, frames));
  }
  if (flags.json) {
    const paths = { path: path.resolve(out), framesPath: frames && path.resolve(filmOut) };
    const of = { checkpoint: trained.path, step, sha256 };
    return print({ ...paths, ...of, num, budget, seed, frames, engine: engine.description, seconds });
  }
  console.log(out);
  if (frames !== undefined) console.log(filmOut);
}

function checkFrames(frames: number, num: number, budget: number): void {
  if (frames > budget + 1)
    throw new UsageError(`--frames ${frames}: an image of ${budget} network calls has ${budget + 1} states`);
  if (frames * num > MAX_PICTURES)
    throw new UsageError(
      `--frames ${frames} of ${num} images are ${frames * num} pictures, and a PNG of over ${MAX_PICTURES} is too large: lower --num`,
    );
}

/** `digits.png` -> `digits-frames.png` */
function framesPath(out: string): string {
  const { dir, name, ext } = path.parse(out);
  return path.join(dir, `${name}-frames${ext}`);
}

function print(result: object): void {
  console.log(JSON.stringify(result, undefined, 2));
}
