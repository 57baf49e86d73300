import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import pc from 'picocolors';
import { wholeNumber } from '../shared/cli.js';
import { mediumOf } from '../shared/config/medium.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError } from '../shared/errors.js';
import { checkCompletable, Completer, spanOf, type Completions } from '../shared/model/complete.js';
import { stageMapOf } from '../shared/model/description.js';
import { encodeTexts, renderCompletions, type Completed, type Marks } from '../shared/render/completions.js';
import { renderFilms, type SampleKind } from '../shared/render/samples.js';
import { completedOf, filmsOf, textOf, toldMask } from './completed.js';
import { readInput } from './completion-input.js';
import { maskOf, type MaskFlags } from './completion-mask.js';
import { Film } from './film.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';
import { checkWritable, writeOutput } from './output-file.js';
import { POLICY_HELP } from './policies.js';
import { checkFrames, choiceOf, MAX_PICTURES, outputFile, withSuffix } from './sample.js';
import { spanPolicyFor } from './span-policy.js';
import { formatTable } from './table.js';
import { bitsPer } from './unit.js';

interface Flags extends EngineFlags, MaskFlags {
  readonly gap?: string;
  readonly num: number;
  readonly budget?: number;
  readonly policy?: string;
  readonly seed?: number;
  readonly frames?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;

const EXAMPLES = `
What is unknown is said once: by the input itself (transparent pixels; gaps in a text), or by one of --mask, --known, --unknown and
--random-known.

Examples:
  ardm complete runs/mnist test:0-8 --known 0.5       the lower halves of nine test digits
  ardm complete runs/mnist digit.png --mask mask.png --num 8
  ardm complete runs/text8 gaps.txt                   where gaps.txt is: the ____ sat on the ___
  ardm complete runs/sc09 word.wav --unknown 0.2s:0.5s --budget 100`;

/** `ardm complete`: fills in what is unknown of an image, a text or a clip. */
export function register(program: Command): void {
  const command = program
    .command('complete')
    .description(
      'fill in what is unknown of an image, a text or a clip with a trained model; what is known stays as it is, bit for bit',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .argument(
      '<input>',
      "a PNG (of the model's size), text or WAV; or examples of the run's own test split, as in test:17 or test:0-8",
    )
    .addOption(
      new Option(
        '--mask <file>',
        "a grey PNG of an image's size: white (255) is known, black (0) unknown",
      ).conflicts(['known', 'unknown', 'randomKnown']),
    )
    .addOption(
      new Option(
        '--known <share>',
        'so much of the beginning is known: of the rows of an image, of a text or a clip; from 0 to 1',
      )
        .argParser(share)
        .conflicts(['unknown', 'randomKnown']),
    )
    .addOption(
      new Option(
        '--unknown <begin:end>',
        'these rows of an image, characters or samples (or seconds, as in 0.2s:0.5s) are unknown, counted from 0, the end not among them; may be repeated',
      )
        .argParser((text: string, before: readonly string[] = []) => [...before, text])
        .conflicts(['randomKnown']),
    )
    .addOption(
      new Option('--random-known <share>', 'so much is known, at random places; from 0 to 1').argParser(
        share,
      ),
    )
    .option(
      '--gap <char>',
      'stands for an unknown character in a text (default: _ in text8, elsewhere none)',
      oneCharacter,
    )
    .option('--num <n>', 'completions of each input', wholeNumber(1, MAX_PICTURES), 4)
    .option(
      '--budget <calls>',
      "network calls for what is unknown, in an upscale model a stage (default: as in the run's own samples, at most a call a variable)",
      wholeNumber(1, WORD),
    )
    .option('--policy <how>', `${POLICY_HELP} (default: as in the run's own samples)`)
    .option(
      '--seed <n>',
      "completion i of a seed is always the same (default: the run's)",
      wholeNumber(0, WORD),
    )
    .addOption(
      new Option('--frames [n]', 'also a file with n states of each completion, from the input to the whole')
        .preset('8')
        .argParser(wholeNumber(2, 1000)),
    )
    .option(
      '-o, --out <file>',
      'the PNG, or the text; other files are named after it (default: <name of the run>-completions.png or .txt)',
    );
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .addHelpText('after', EXAMPLES)
    .action((run: string, input: string, flags: Flags) =>
      interruptible((signal) => complete(run, input, flags, signal)),
    );
}

async function complete(run: string, given: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { num, seed = config.seed, frames } = flags;
  const kind: SampleKind = { medium: mediumOf(config.data), ...description };
  const out = outputFile(flags.out, `${config.name}-completions`, kind);
  const filmOut = withSuffix(out, `-frames${path.extname(out)}`);
  const input = await readInput(given, flags.gap, kind, trained, signal);
  const mask = await maskOf(input, flags, kind, seed);
  const told = toldMask(mask, kind);
  checkCompletable(told, description);
  const numPictures = input.names.length * num;
  if (numPictures > MAX_PICTURES)
    throw new UsageError(
      `${num} completions of ${input.names.length} inputs are ${numPictures}, and more than ${MAX_PICTURES} are too many: lower --num`,
    );
  const span = spanOf(told, description);
  const numUnknown = (span.end - span.begin) * description.variablesPerPosition;
  const policy = await spanPolicyFor(
    { description, loadComponents: () => trained.loadComponents() },
    ...choiceOf(flags, config, { numPositions: span.end - span.begin }),
    span,
  );
  const numCalls = policy.length;
  if (frames !== undefined) checkFrames(frames, numPictures, numCalls, kind);
  await checkWritable(out);
  if (frames !== undefined) await checkWritable(filmOut);

  const parameters = await trained.loadEma(description.parameters);
  const { engine } = await selectEngine(engineChoice(flags));
  const { batch } = config.samples;
  let numDone = 0;
  const onCall = () => meter.update(++numDone);
  const completer = await Completer.create(watched(engine, signal, onCall), description, config.model, batch);
  console.error(
    `${num} completions of ${given}, ${numUnknown} of ${description.numVariables} variables unknown, by step ${step} of ${config.name}, ` +
      `${numCalls} calls each; ${engine.description}`,
  );
  const film =
    frames === undefined
      ? undefined
      : new Film(numCalls, frames, stageMapOf(config.model, description.numClasses));
  const meter = new Meter('network calls', Math.ceil(numPictures / batch) * numCalls);
  let completions: Completions;
  try {
    completions = await completer.run({
      parameters,
      seed,
      examples: input.examples,
      mask: told,
      num,
      policy,
      ...(film && { onStep: film.onStep.bind(film) }),
    });
  } finally {
    meter.close();
  }
  const { seconds } = meter;

  const completed = completedOf(input, completions);
  const [main, ...others] = renderCompletions(completed, mask, kind);
  const written: string[] = [];
  for (const [file, bytes] of [
    [out, main!.bytes] as const,
    ...others.map(({ suffix, bytes }) => [withSuffix(out, suffix), bytes] as const),
    ...(film ? [[filmOut, renderFilms(filmsOf(film.films, input, mask, kind), kind).bytes] as const] : []),
  ]) {
    await writeOutput(file, bytes);
    written.push(file);
  }
  if (!flags.json) {
    if (kind.medium.kind === 'text' && process.stdout.isTTY)
      process.stdout.write(encodeTexts(completed, mask, kind, underline()));
    console.log(tableOf(completed, numUnknown, bitsPer(kind.medium)));
    return written.forEach((file) => console.log(file));
  }
  const paths = { path: path.resolve(out), framesPath: frames && path.resolve(filmOut) };
  const files = written.map((file) => path.resolve(file));
  const of = {
    checkpoint: trained.path,
    step,
    sha256,
    variables: description.numVariables,
    unknown: numUnknown,
  };
  const inputs = completed.map(({ name, completions: made }) => ({
    name,
    completions: made.map(({ classes, logLikelihood }) => ({
      logLikelihood,
      ...(kind.medium.kind === 'text' && { text: textOf(classes, mask, kind) }),
    })),
  }));
  const result = { num, calls: numCalls, seed, frames, engine: engine.description, seconds, inputs };
  console.log(JSON.stringify({ ...paths, files, ...of, ...result }, undefined, 2));
}

function oneCharacter(text: string): string {
  if ([...text].length !== 1) throw new InvalidArgumentError('It must be one character.');
  return text;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It must be a share from 0 to 1, such as 0.5.');
  return value;
}

function underline(): Marks {
  const { underline: line } = pc.createColors(!process.env.NO_COLOR);
  const [on, off] = line('|').split('|') as [string, string];
  return { on, off };
}

function tableOf(completed: readonly Completed[], numUnknown: number, unit: string): string {
  const rows = completed.flatMap(({ name, completions }) =>
    completions.map(({ logLikelihood }, i) => ({ name, i, logLikelihood })),
  );
  return formatTable([
    { name: 'input', cells: rows.map(({ name }) => name) },
    { name: 'completion', cells: rows.map(({ i }) => String(i + 1)) },
    { name: 'log-likelihood (bits)', cells: rows.map(({ logLikelihood }) => logLikelihood.toFixed(2)) },
    { name: unit, cells: rows.map(({ logLikelihood }) => (-logLikelihood / numUnknown).toFixed(4)) },
  ]);
}
