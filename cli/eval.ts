import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import type { Config } from '../shared/config/schema.js';
import type { Dataset } from '../shared/data/dataset.js';
import { publishedSets } from '../shared/config/sets.js';
import { openDataset } from '../shared/data/open.js';
import { selectEngine } from '../shared/engine/select.js';
import { UsageError } from '../shared/errors.js';
import { naivePolicy } from '../shared/method/policy.js';
import type { ModelDescription } from '../shared/model/description.js';
import { Evaluator } from '../shared/model/evaluate.js';
import { estimateBound, type BoundEstimate } from './bound.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { interruptible } from './interruptible.js';
import { Meter } from './meter.js';
import { openModel, watched } from './model.js';

interface Flags extends EngineFlags {
  readonly data?: keyof typeof publishedSets;
  readonly examples?: number;
  readonly passes: number;
  readonly budget?: readonly number[];
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
      'the test NELBO of a trained model (an upper bound on its negative log-likelihood), bits per dimension',
    )
    .argument('<run>', 'run folder, or one checkpoint in it')
    .addOption(new Option('--data <name>', "another set than the run's").choices(Object.keys(publishedSets)))
    .option('--examples <n>', 'the first n test examples (default: all)', wholeNumber(1, 1_000_000))
    .option(
      '--passes <n>',
      'draws of (order, time step) an example; the published figures are of 4',
      wholeNumber(1, 1000),
      1,
    )
    .option(
      '--budget <calls>',
      'also the bound when so many network calls generate an image; may be repeated',
      (text: string, before: readonly number[] = []) => [...before, budgetFlag(text)],
    )
    .option('--seed <n>', "of orders and time steps (default: the run's)", wholeNumber(0, WORD));
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((run: string, flags: Flags) => interruptible((signal) => evaluate(run, flags, signal)));
}

async function evaluate(run: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { batch, timeSteps } = config.evaluation;
  const { numVariables } = description;
  const { passes, budget: budgets = [], seed = config.seed } = flags;
  const policies = [numVariables, ...budgets].map((budget) => naivePolicy(numVariables, budget));
  const { test, name } = await openFor(description, config, flags, signal);
  const examples = Math.min(flags.examples ?? test.count, test.count);

  const parameters = await trained.loadEma(description.parameters);
  const { engine } = await selectEngine(engineChoice(flags));
  let numCalls = 0;
  const onCall = () => meter.update(++numCalls);
  const evaluator = await Evaluator.create(watched(engine, signal, onCall), description, config.model, batch);
  const what = `${examples} test examples of ${name}, ${passes} ${passes === 1 ? 'pass' : 'passes'}`;
  console.error(`${what}, by step ${step} of ${config.name}; ${engine.description}`);
  const meter = new Meter('network calls', policies.length * passes * Math.ceil(examples / batch));
  const draws = { numExamples: examples, batch, passes, seed, timeSteps };
  const setup = { evaluator, description, parameters, split: test, ...draws };
  const bounds: (BoundEstimate & { readonly budget: number })[] = [];
  try {
    for (const policy of policies)
      bounds.push({ budget: policy.length, ...(await estimateBound(setup, policy)) });
  } finally {
    meter.close();
  }
  const [nelbo, ...others] = bounds;
  if (flags.json) {
    const { bitsPerDim, standardError } = nelbo!;
    const of = { checkpoint: trained.path, step, sha256, data: name, split: 'test', examples, passes, seed };
    const { seconds } = meter;
    const result = { ...of, bitsPerDim, standardError, budgets: others, engine: engine.description, seconds };
    return console.log(JSON.stringify(result, undefined, 2));
  }
  console.log('  calls  bits per dimension');
  for (const { budget, bitsPerDim, standardError } of bounds)
    console.log(`${String(budget).padStart(7)}  ${bitsPerDim.toFixed(4)} ± ${standardError.toFixed(4)}`);
}

/** Throws UsageError where the data are of another shape than the model. */
async function openFor(
  description: ModelDescription,
  config: Config,
  { data: set }: Flags,
  signal: AbortSignal,
): Promise<Dataset> {
  if (set !== undefined) checkFits(set, publishedSets[set], description);
  const data = set === undefined ? config.data : { ...config.data, set, augment: 'none' as const };
  const report = (line: string) => console.error(line);
  const dataset = await openDataset(data, { baseFolder: '.', fetch: true, report, signal });
  checkFits(dataset.name, dataset, description);
  return dataset;
}

type Kind = Pick<Dataset, 'shape' | 'numClasses'>;

function checkFits(name: string, data: Kind, model: Kind): void {
  const words = ({ shape, numClasses }: Kind) => `${shape.join('x')} of ${numClasses} classes`;
  if (words(data) !== words(model))
    throw new UsageError(`data set ${name} is ${words(data)}, but the model was made for ${words(model)}`);
}
