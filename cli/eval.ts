import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { coverage } from '../shared/compression/coverage/cover.js';
import { isOtherData } from '../shared/checkpoint/load.js';
import { mediumOf, type Medium } from '../shared/config/medium.js';
import { PUBLISHED_SETS, type Config } from '../shared/config/schema.js';
import { publishedSet } from '../shared/config/sets.js';
import type { Dataset, Split } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError, UserError } from '../shared/errors.js';
import type { Classes } from '../shared/method/classes.js';
import type { ModelDescription } from '../shared/model/description.js';
import { ExampleCoder } from '../shared/model/coder.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { exampleSize } from '../shared/model/inputs.js';
import { plotCosts, type CostsPlot } from '../shared/render/plot.js';
import { estimateBound, exactLikelihood, numExactCalls, type BoundEstimate } from './bound.js';
import { measureCodec, measureCoding, type CodedSize } from './coded.js';
import { findCodecs } from './codecs.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';
import { checkWritable, writeOutput } from './output-file.js';
import { isPolicyFile, policyFor, POLICY_HELP, type ChosenPolicy, type PolicySource } from './policies.js';
import { formatMarkdown, formatTable, type Column } from './table.js';
import { bitsPer } from './unit.js';

const SPLITS = ['test', 'validation'] as const;

interface Flags extends EngineFlags {
  readonly data?: string;
  readonly split: (typeof SPLITS)[number];
  readonly examples?: number;
  readonly passes: number;
  readonly budget?: readonly number[];
  readonly policy?: string;
  readonly exact?: boolean;
  readonly compress?: number;
  readonly out?: string;
  readonly seed?: number;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;
const budgetFlag = wholeNumber(1, WORD);

/** `ardm eval`: the bits per dimension of a trained model on test data. */
export function register(program: Command): void {
  const command = program
    .command('eval')
    .description(
      'the test NELBO of a trained model (an upper bound on its negative log-likelihood), bits per dimension, character of text or sample of audio',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .option(
      '--data <name|file>',
      `other data than the run's: a published set (${PUBLISHED_SETS.join(', ')}), or a file of the model's kind: a PNG, idx or CIFAR-10 file, a text, a WAV`,
    )
    .addOption(new Option('--split <name>', 'which part of the set').choices(SPLITS).default('test'))
    .option('--examples <n>', 'the first n examples of the split (default: all)', wholeNumber(1, 1_000_000))
    .option(
      '--passes <n>',
      'draws of (order, time step) an example; the published figures are of 4',
      wholeNumber(1, 1000),
      1,
    )
    .option(
      '--budget <calls>',
      'also the bound when so many network calls, in an upscale model a stage, generate an example; may be repeated',
      (text: string, before: readonly number[] = []) => [...before, budgetFlag(text)],
    )
    .option('--policy <how>', `${POLICY_HELP}; a file is evaluated as budgets are (default: naive)`)
    .option(
      '--exact',
      'also the exact negative log-likelihood in one fixed order: of each budget, else with a call a variable, which takes as many network calls',
    )
    .addOption(
      new Option(
        '--compress [n]',
        'also code the first n examples for real, by each budget, else with a call a variable, decode them again, and compare with PNG, WebP, JPEG XL, xz and others that are installed',
      )
        .preset('100')
        .argParser(wholeNumber(1, 1_000_000)),
    )
    .option('-o, --out <file>', 'the tables as Markdown, and beside them an SVG of bits against budgets')
    .option('--seed <n>', "of orders and time steps (default: the run's)", wholeNumber(0, WORD));
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((run: string, flags: Flags) => interruptible((signal) => evaluate(run, flags, signal)));
}

/** A way to generate, and what its examples cost. */
interface Row extends ChosenPolicy {
  readonly budget?: number;
  readonly bound: BoundEstimate;
  readonly exact?: BoundEstimate;
  readonly coded?: CodedSize;
}

/** What another compressor makes of the examples. */
interface CodecRow {
  readonly name: string;
  readonly coded: CodedSize;
}

async function evaluate(run: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { batch, timeSteps } = config.evaluation;
  const { passes, seed = config.seed } = flags;
  const loadComponents = () => trained.loadComponents();
  const choices = await choicesOf(flags, { description, loadComponents });
  if (flags.out !== undefined) await checkOutputs(flags.out);
  const { dataset, split } = await openFor(description, config, flags, signal);
  if (flags.data === undefined && isOtherData(dataset.hash, trained))
    console.error(
      `${dataset.name} has changed since ${trained.path} was trained on it: it may have seen what is now the ${flags.split} split`,
    );
  const numExamples = Math.min(flags.examples ?? split.count, split.count);

  const parameters = await trained.loadEma(description.parameters);
  const { engine } = await selectEngine(engineChoice(flags));
  let numCalls = 0;
  const onCall = () => meter.update(++numCalls);
  const evaluator = await Evaluator.create(watched(engine, signal, onCall), description, config.model, batch);
  const what = `${numExamples} ${flags.split} examples of ${dataset.name}, ${passes} ${passes === 1 ? 'pass' : 'passes'}`;
  console.error(`${what}, by step ${step} of ${config.name}; ${engine.description}`);
  const numBatches = Math.ceil(numExamples / batch);
  const exactCalls = choices
    .filter(({ isExact }) => isExact)
    .reduce((sum, { policy }) => sum + numExactCalls(description, policy) * numBatches, 0);
  if (flags.exact) console.error(`exact likelihoods take ${exactCalls} network calls`);
  const numCoded = Math.min(flags.compress ?? 0, numExamples);
  const codingCalls =
    2 *
    Math.ceil(numCoded / batch) *
    choices.filter(({ isCoded }) => isCoded).reduce((sum, { policy }) => sum + policy.length, 0);
  const meter = new Meter('network calls', choices.length * passes * numBatches + exactCalls + codingCalls);
  const setup = {
    ...{ evaluator, description, parameters, split, numExamples, batch, passes, seed, timeSteps },
  };
  const coder =
    numCoded > 0
      ? await ExampleCoder.create(watched(engine, signal, onCall), description, config.model, batch)
      : undefined;
  const coding = { ...setup, numExamples: numCoded };
  const rows: Row[] = [];
  try {
    for (const { isExact, isCoded, ...choice } of choices) {
      const bound = await estimateBound(setup, choice.policy);
      const exact = isExact ? await exactLikelihood(setup, choice.policy) : undefined;
      const coded = isCoded && coder && (await measureCoding(coder, coding, choice.policy));
      rows.push({ ...choice, bound, ...(exact && { exact }), ...(coded && { coded }) });
    }
  } finally {
    meter.close();
  }
  const codecs = numCoded > 0 ? await compareCodecs(coding, mediumOf(config.data), signal) : [];
  const tables = tablesOf(rows, codecs, bitsPer(mediumOf(config.data)));
  if (flags.out !== undefined) {
    const title = `${config.name}, step ${step}: ${what}`;
    await writeOutput(flags.out, Buffer.from(`${title}\n\n${tables.map(formatMarkdown).join('\n\n')}\n`));
    await writeOutput(plotOf(flags.out), Buffer.from(plotCosts({ title, curves: curvesOf(rows, codecs) })));
  }
  if (!flags.json) {
    console.log(tables.map(formatTable).join('\n\n'));
    if (flags.out !== undefined) for (const file of [flags.out, plotOf(flags.out)]) console.log(file);
    return;
  }
  const [nelbo, ...others] = rows.map(
    ({ budget, policy: { length: calls }, planned, bound, exact, coded }) => ({
      ...{ budget, calls, ...bound, planned, exact, coded },
    }),
  );
  const { bitsPerDim, standardError, exact, coded } = nelbo!;
  const of = { checkpoint: trained.path, step, sha256, data: dataset.name, split: flags.split };
  const compressed = coder && { examples: numCoded, coded, codecs };
  const estimates = { bitsPerDim, standardError, exact, compressed, budgets: others };
  const { seconds } = meter;
  const { policy = 'naive' } = flags;
  const how = { examples: numExamples, passes, policy, seed, engine: engine.description, seconds };
  console.log(JSON.stringify({ ...of, ...how, ...estimates }, undefined, 2));
}

interface Choice extends ChosenPolicy {
  readonly budget?: number;
  readonly isExact: boolean;
  /** Whether examples are coded by it, where any are. */
  readonly isCoded: boolean;
}

/** The model itself first, a call a variable; then each budget or the policy of a file. */
async function choicesOf(flags: Flags, source: PolicySource): Promise<Choice[]> {
  const { policy: how = 'naive', budget: budgets = [], exact = false } = flags;
  const whole = await policyFor(source, 'naive', undefined);
  const others: Omit<Choice, 'isExact' | 'isCoded'>[] = [];
  if (isPolicyFile(how)) others.push(await policyFor(source, how, budgets[0]));
  else for (const budget of budgets) others.push({ budget, ...(await policyFor(source, how, budget)) });
  return [
    { ...whole, isExact: exact && others.length === 0, isCoded: others.length === 0 },
    ...others.map((choice) => ({ ...choice, isExact: exact, isCoded: true })),
  ];
}

/** Compressors that are here, on the same examples, each by itself. */
async function compareCodecs(
  setup: Parameters<typeof measureCodec>[1],
  medium: Medium,
  signal: AbortSignal,
): Promise<CodecRow[]> {
  const { shape, numClasses } = setup.description;
  const isImage = medium.kind === 'image' && numClasses === 256;
  const { codecs, missing } = await findCodecs({ shape, isImage });
  if (missing.length > 0) console.error(`not installed, and left out: ${missing.join(', ')}`);
  let numDone = 0;
  const meter = new Meter('examples', codecs.length * setup.numExamples);
  const rows: CodecRow[] = [];
  try {
    for (const codec of codecs) {
      const coded = await measureCodec(codec, setup, () => {
        signal.throwIfAborted();
        meter.update(++numDone);
      });
      rows.push({ name: codec.name, coded });
    }
  } finally {
    meter.close();
  }
  return rows;
}

function tablesOf(rows: readonly Row[], codecs: readonly CodecRow[], unit: string): Column[][] {
  const words = (estimate: BoundEstimate | undefined) =>
    estimate && estimate.bitsPerDim.toFixed(4) + errorOf(estimate);
  const columns = [
    { name: 'calls', cells: rows.map(({ policy }) => String(policy.length)) },
    { name: unit, cells: rows.map(({ bound }) => words(bound)) },
    { name: 'planned', cells: rows.map(({ planned }) => planned?.toFixed(4)) },
    { name: 'exact in one order', cells: rows.map(({ exact }) => words(exact)) },
    { name: 'coded', cells: rows.map(({ coded }) => words(coded)) },
  ].filter(({ cells }) => cells.some((cell) => cell !== undefined));
  if (codecs.length === 0) return [columns];
  const others = [
    { name: 'other compressors', cells: codecs.map(({ name }) => name) },
    { name: unit, cells: codecs.map(({ coded }) => words(coded)) },
  ];
  return [columns, others];
}

/** What each way takes, by network calls; other compressors as lines across. */
function curvesOf(rows: readonly Row[], codecs: readonly CodecRow[]): CostsPlot['curves'] {
  const byCalls = [...rows].sort((a, b) => a.policy.length - b.policy.length);
  const curve = (name: string, of: (row: Row) => BoundEstimate | undefined) => {
    const found = byCalls.filter((row) => of(row) !== undefined);
    return {
      name,
      budgets: found.map(({ policy }) => policy.length),
      costs: found.map((row) => of(row)!.bitsPerDim),
    };
  };
  const most = byCalls.at(-1)!.policy.length;
  return [
    curve('bound', ({ bound }) => bound),
    curve('exact in one order', ({ exact }) => exact),
    curve('coded', ({ coded }) => coded),
    ...codecs.map(({ name, coded: { bitsPerDim } }) => ({
      name,
      budgets: [1, most],
      costs: [bitsPerDim, bitsPerDim],
    })),
  ].filter(({ budgets }) => budgets.length > 0);
}

const plotOf = (out: string): string => `${out.replace(/\.md$/, '')}.svg`;

async function checkOutputs(out: string): Promise<void> {
  for (const file of [out, plotOf(out)]) await checkWritable(file);
}

/** A single example tells of none. */
function errorOf({ standardError }: BoundEstimate): string {
  return Number.isNaN(standardError) ? '' : ` ± ${standardError.toFixed(4)}`;
}

/** Throws UsageError where the data are of another shape than the model, or have no such split. */
async function openFor(
  description: ModelDescription,
  config: Config,
  { data, split: name }: Flags,
  signal: AbortSignal,
): Promise<{ dataset: Pick<Dataset, 'name' | 'hash'>; split: Split }> {
  const set = PUBLISHED_SETS.find((published) => published === data);
  if (data !== undefined && !set) return openFile(data, description, config);
  const settings = set ? { ...config.data, set, augment: 'none' as const } : config.data;
  const known = publishedSet(settings);
  if (known) checkFits(settings.set, known, description);
  const report = (line: string) => console.error(line);
  const dataset = await openDataset(settings, { baseFolder: '.', fetch: true, report, signal });
  checkFits(dataset.name, dataset, description);
  const split = dataset[name];
  if (!split) throw new UsageError(`data set ${dataset.name} has no ${name} split: evaluate its test split`);
  return { dataset, split };
}

/** The whole examples that a file holds. Throws UserError where it can't be read or holds none of the model's. */
async function openFile(
  file: string,
  description: ModelDescription,
  { data }: Config,
): Promise<{ dataset: Pick<Dataset, 'name' | 'hash'>; split: Split }> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new UserError(`can't read ${file}: ${error.message}`);
    throw new UsageError(
      `--data ${file}: there is no such file, and no such published set: these are ${PUBLISHED_SETS.join(', ')}`,
    );
  });
  const covered = await coverage.cover(bytes, { ...description, medium: mediumOf(data) });
  const size = exampleSize(description);
  const { examples, absent } = covered ?? { examples: new Uint8Array() };
  const whole = Array.from({ length: examples.length / size }, (_, i) => i).filter(
    (i) => !absent?.subarray(i * size, (i + 1) * size).includes(1),
  );
  if (whole.length === 0)
    throw new UserError(
      `${file} holds no whole example of this model: ${description.shape.join('x')} of ${description.numClasses} classes`,
    );
  const numCut = examples.length / size - whole.length;
  if (numCut > 0) console.error(`${numCut} examples at the edge of ${file} are not whole, and are left out`);
  const read = (i: number, into: Classes) =>
    into.set(examples.subarray(whole[i]! * size, (whole[i]! + 1) * size));
  return { dataset: { name: path.basename(file) }, split: { count: whole.length, read } };
}

type Kind = Pick<Dataset, 'shape' | 'numClasses'>;

function checkFits(name: string, data: Kind, model: Kind): void {
  const words = ({ shape, numClasses }: Kind) => `${shape.join('x')} of ${numClasses} classes`;
  if (words(data) !== words(model))
    throw new UsageError(`data set ${name} is ${words(data)}, but the model was made for ${words(model)}`);
}
