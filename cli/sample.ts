import path from 'node:path';
import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { mediumOf } from '../shared/config/medium.js';
import type { Config } from '../shared/config/schema.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError } from '../shared/errors.js';
import type { Classes } from '../shared/method/classes.js';
import { stageMapOf, type ModelDescription } from '../shared/model/description.js';
import { Sampler } from '../shared/model/sample.js';
import { MAX_SPECTROGRAMS, renderFilms, renderSamples, type SampleKind } from '../shared/render/samples.js';
import { Film } from './film.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';
import { checkWritable, writeOutput } from './output-file.js';
import { isPolicyFile, policyFor, POLICY_HELP } from './policies.js';

interface Flags extends EngineFlags {
  readonly num?: number;
  readonly budget?: number;
  readonly policy?: string;
  readonly seed?: number;
  readonly frames?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;
/** Where neither flag nor config says how many. */
const DEFAULT_NUM = 64;
/** Larger PNGs than this many pictures can't be held in memory. */
export const MAX_PICTURES = 10_000;

/** `ardm sample`: images, texts or clips from a trained model. */
export function register(program: Command): void {
  const command = program
    .command('sample')
    .description(
      'generate examples with a trained model: images into a PNG grid, texts into a text file, audio into WAV files and a PNG of their spectrograms',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .option('--num <n>', "samples (default: as many as in the run's own)", wholeNumber(1, MAX_PICTURES))
    .option(
      '--budget <calls>',
      "network calls a sample, in an upscale model a stage; fewer are faster and look worse (default: as in the run's own)",
      wholeNumber(1, WORD),
    )
    .option('--policy <how>', `${POLICY_HELP} (default: as in the run's own)`)
    .option('--seed <n>', "sample i of a seed is always the same (default: the run's)", wholeNumber(0, WORD))
    .addOption(
      new Option(
        '--frames [n]',
        'also a file with n states of each sample, from empty to full, what is unknown left grey, blank or silent',
      )
        .preset('8')
        .argParser(wholeNumber(2, 1000)),
    )
    .option(
      '-o, --out <file>',
      'the PNG, or the text; other files are named after it (default: <name of the run>-samples.png or .txt)',
    );
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((run: string, flags: Flags) => interruptible((signal) => sample(run, flags, signal)));
}

async function sample(run: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { batch, count } = config.samples;
  const { num = count || DEFAULT_NUM, seed = config.seed, frames } = flags;
  const loadComponents = () => trained.loadComponents();
  const { policy } = await policyFor(
    { description, loadComponents },
    ...choiceOf(flags, config, description),
  );
  const numCalls = policy.length;
  const kind: SampleKind = { medium: mediumOf(config.data), ...description };
  if (frames !== undefined) checkFrames(frames, num, numCalls, kind);
  const out = outputFile(flags.out, `${config.name}-samples`, kind);
  const filmOut = withSuffix(out, `-frames${path.extname(out)}`);
  await checkWritable(out);
  if (frames !== undefined) await checkWritable(filmOut);

  const parameters = await trained.loadEma(description.parameters);
  const { engine } = await selectEngine(engineChoice(flags));
  let numDone = 0;
  const onCall = () => meter.update(++numDone);
  // Always whole batches of the run's size: other sizes may round otherwise, and a seed would give other samples.
  const sampler = await Sampler.create(watched(engine, signal, onCall), description, config.model, batch);
  console.error(
    `${num} samples by step ${step} of ${config.name}, ${numCalls} calls each; ${engine.description}`,
  );
  const map = stageMapOf(config.model, description.numClasses);
  const film = frames === undefined ? undefined : new Film(numCalls, frames, map);
  const meter = new Meter('network calls', Math.ceil(num / batch) * numCalls);
  let samples: Classes;
  try {
    samples = await sampler.run({
      parameters,
      seed,
      first: 0,
      count: num,
      policy,
      ...(film && { onStep: film.onStep.bind(film) }),
    });
  } finally {
    meter.close();
  }
  const { seconds } = meter;

  const written: string[] = [];
  const [main, ...others] = renderSamples(samples, kind);
  for (const [file, bytes] of [
    [out, main!.bytes] as const,
    ...others.map(({ suffix, bytes }) => [withSuffix(out, suffix), bytes] as const),
    ...(film ? [[filmOut, renderFilms(film.films, kind).bytes] as const] : []),
  ]) {
    await writeOutput(file, bytes);
    written.push(file);
  }
  if (!flags.json) return written.forEach((file) => console.log(file));
  const paths = { path: path.resolve(out), framesPath: frames && path.resolve(filmOut) };
  const files = written.map((file) => path.resolve(file));
  const of = { checkpoint: trained.path, step, sha256 };
  const result = { num, calls: numCalls, seed, frames, engine: engine.description, seconds };
  console.log(JSON.stringify({ ...paths, files, ...of, ...result }, undefined, 2));
}

/** How the network calls are spent: the flags', else the run's own. A policy file brings its own number of them. */
export function choiceOf(
  flags: Pick<Flags, 'policy' | 'budget'>,
  { samples: own }: Config,
  { numPositions }: Pick<ModelDescription, 'numPositions'>,
): [how: string, budget: number | undefined] {
  const how = flags.policy ?? own.policy;
  if (flags.budget !== undefined || isPolicyFile(how)) return [how, flags.budget];
  return [how, own.budget && Math.min(own.budget, numPositions)];
}

/** Throws UsageError where samples have fewer states, or the pictures are too many. */
export function checkFrames(frames: number, num: number, numCalls: number, { medium }: SampleKind): void {
  if (frames > numCalls + 1)
    throw new UsageError(
      `--frames ${frames}: a sample of ${numCalls} network calls has ${numCalls + 1} states`,
    );
  const most = medium.kind === 'audio' ? MAX_SPECTROGRAMS : MAX_PICTURES;
  if (frames * num > most)
    throw new UsageError(
      `--frames ${frames} of ${num} samples are ${frames * num} pictures, and more than ${most} are too many: lower --num`,
    );
}

/** The file to look at first, named after `stem` where none is given. Throws UsageError where its name promises another kind of file. */
export function outputFile(given: string | undefined, stem: string, { medium }: SampleKind): string {
  const ending = medium.kind === 'text' ? '.txt' : '.png';
  if (given === undefined) return `${stem}${ending}`;
  const { ext } = path.parse(given);
  if (['.png', '.txt', '.wav'].includes(ext) && ext !== ending)
    throw new UsageError(`--out ${given}: ${CONTENTS[medium.kind]}. Give a name that ends in ${ending}`);
  return given;
}

const CONTENTS = {
  image: 'samples of images are a PNG',
  text: 'samples of text are a text file',
  audio: 'samples of audio are a PNG of spectrograms, and beside it WAV files named after it',
} as const;

/** `digits.png` -> `digits-frames.png` */
export function withSuffix(out: string, suffix: string): string {
  const { dir, name } = path.parse(out);
  return path.join(dir, `${name}${suffix}`);
}
