import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { isOtherData } from '../shared/checkpoint/load.js';
import { mediumOf } from '../shared/config/medium.js';
import { PUBLISHED_SETS, type Config } from '../shared/config/schema.js';
import { publishedSet } from '../shared/config/sets.js';
import type { Dataset, Split } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError } from '../shared/errors.js';
import type { ModelDescription } from '../shared/model/description.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { estimateBound, exactLikelihood, numExactCalls, type BoundEstimate } from './bound.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';
import { isPolicyFile, policyFor, POLICY_HELP, type ChosenPolicy, type PolicySource } from './policies.js';
import { formatTable } from './table.js';
import { bitsPer } from './unit.js';

const SPLITS = ['test', 'validation'] as const;

interface Flags extends EngineFlags {
  readonly data?: (typeof PUBLISHED_SETS)[number];
  readonly split: (typeof SPLITS)[number];
  readonly examples?: number;
  readonly passes: number;
  readonly budget?: readonly number[];
  readonly policy?: string;
  readonly exact?: boolean;
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
    .argument('<run>', 'run folder, or one checkpoint in it')
    .addOption(new Option('--data <name>', "another set than the run's").choices(PUBLISHED_SETS))
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
}

async function evaluate(run: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { batch, timeSteps } = config.evaluation;
  const { passes, seed = config.seed } = flags;
  const loadComponents = () => trained.loadComponents();
  const choices = await choicesOf(flags, { description, loadComponents });
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
  const meter = new Meter('network calls', choices.length * passes * numBatches + exactCalls);
  const setup = {
    ...{ evaluator, description, parameters, split, numExamples, batch, passes, seed, timeSteps },
  };
  const rows: Row[] = [];
  try {
    for (const { isExact, ...choice } of choices) {
      const bound = await estimateBound(setup, choice.policy);
      const exact = isExact ? await exactLikelihood(setup, choice.policy) : undefined;
      rows.push({ ...choice, bound, ...(exact && { exact }) });
    }
  } finally {
    meter.close();
  }
  if (!flags.json) return console.log(tableOf(rows, bitsPer(mediumOf(config.data))));
  const [nelbo, ...others] = rows.map(({ budget, policy: { length: calls }, planned, bound, exact }) => ({
    ...{ budget, calls, ...bound, planned, exact },
  }));
  const { bitsPerDim, standardError, exact } = nelbo!;
  const of = { checkpoint: trained.path, step, sha256, data: dataset.name, split: flags.split };
  const estimates = { bitsPerDim, standardError, exact, budgets: others };
  const { seconds } = meter;
  const { policy = 'naive' } = flags;
  const how = { examples: numExamples, passes, policy, seed, engine: engine.description, seconds };
  console.log(JSON.stringify({ ...of, ...how, ...estimates }, undefined, 2));
}

interface Choice extends ChosenPolicy {
  readonly budget?: number;
  readonly isExact: boolean;
}

/** The model itself first, a call a variable; then each budget or the policy of a file. */
async function choicesOf(flags: Flags, source: PolicySource): Promise<Choice[]> {
  const { policy: how = 'naive', budget: budgets = [], exact = false } = flags;
  const whole = await policyFor(source, 'naive', undefined);
  const others: Omit<Choice, 'isExact'>[] = [];
  if (isPolicyFile(how)) others.push(await policyFor(source, how, budgets[0]));
  else for (const budget of budgets) others.push({ budget, ...(await policyFor(source, how, budget)) });
  return [
    { ...whole, isExact: exact && others.length === 0 },
    ...others.map((choice) => ({ ...choice, isExact: exact })),
  ];
}

function tableOf(rows: readonly Row[], unit: string): string {
  const words = (estimate: BoundEstimate | undefined) =>
    estimate && estimate.bitsPerDim.toFixed(4) + errorOf(estimate);
  const columns = [
    { name: 'calls', cells: rows.map(({ policy }) => String(policy.length)) },
    { name: unit, cells: rows.map(({ bound }) => words(bound)) },
    { name: 'planned', cells: rows.map(({ planned }) => planned?.toFixed(4)) },
    { name: 'exact in one order', cells: rows.map(({ exact }) => words(exact)) },
  ];
  return formatTable(columns.filter(({ cells }) => cells.some((cell) => cell !== undefined)));
}

/** A single example tells of none. */
function errorOf({ standardError }: BoundEstimate): string {
  return Number.isNaN(standardError) ? '' : ` ± ${standardError.toFixed(4)}`;
}

/** Throws UsageError where the data are of another shape than the model, or have no such split. */
async function openFor(
  description: ModelDescription,
  config: Config,
  { data: set, split: name }: Flags,
  signal: AbortSignal,
): Promise<{ dataset: Dataset; split: Split }> {
  const data = set === undefined ? config.data : { ...config.data, set, augment: 'none' as const };
  const known = publishedSet(data);
  if (known) checkFits(data.set, known, description);
  const report = (line: string) => console.error(line);
  const dataset = await openDataset(data, { baseFolder: '.', fetch: true, report, signal });
  checkFits(dataset.name, dataset, description);
  const split = dataset[name];
  if (!split) throw new UsageError(`data set ${dataset.name} has no ${name} split: evaluate its test split`);
  return { dataset, split };
}

type Kind = Pick<Dataset, 'shape' | 'numClasses'>;

function checkFits(name: string, data: Kind, model: Kind): void {
  const words = ({ shape, numClasses }: Kind) => `${shape.join('x')} of ${numClasses} classes`;
  if (words(data) !== words(model))
    throw new UsageError(`data set ${name} is ${words(data)}, but the model was made for ${words(model)}`);
}
