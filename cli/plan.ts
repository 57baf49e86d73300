import type { Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { mediumOf } from '../shared/config/medium.js';
import { UsageError } from '../shared/errors.js';
import { costOfPolicy, planJointly, planStages, type Plan } from '../shared/method/plan.js';
import { naivePolicy } from '../shared/method/policy.js';
import { seenComponents } from '../shared/method/seen-components.js';
import type { ModelDescription } from '../shared/model/description.js';
import { plotComponents, plotCosts } from '../shared/render/plot.js';
import { costCurves, sortedStages } from './costs.js';
import { openModel } from './model.js';
import { checkWritable, writeOutput } from './output-file.js';
import { readPolicy } from './policies.js';
import { formatTable } from './table.js';
import { bitsPer } from './unit.js';

interface Flags {
  readonly budget?: readonly number[];
  readonly policy?: string;
  readonly joint?: boolean;
  readonly out?: string;
  readonly costs?: string;
  readonly save?: string;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;
const budgetFlag = wholeNumber(1, WORD);
/** Those that fit a model, and a call a variable. */
const DEFAULT_BUDGETS = [5, 10, 20, 50, 100];

/** `ardm plan`: how few network calls may generate an example, and what that costs. */
export function register(program: Command): void {
  program
    .command('plan')
    .description(
      'what generation in few network calls costs, by the loss components that training saw: expected bits of planned and of equal parts',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .option(
      '--budget <calls>',
      'network calls an example, in an upscale model a stage; may be repeated (default: 5, 10, 20, 50, 100 and a call a variable)',
      (text: string, before: readonly number[] = []) => [...before, budgetFlag(text)],
    )
    .option('--policy <file>', 'also what this policy costs: a JSON file with the list of steps')
    .option('--joint', 'plot and save policies that are planned over all stages of an upscale model together')
    .option('-o, --out <file>', 'an SVG of the loss components and the policies')
    .option('--costs <file>', 'an SVG of what each budget costs; takes minutes for long audio')
    .option(
      '--save <file>',
      'the policy of the one --budget as JSON, for --policy of ardm sample and ardm eval',
    )
    .option('--json', 'tell the result as JSON, with the policies')
    .action(plan);
}

/** A budget's expected bits. */
interface Row {
  readonly budget: number;
  readonly calls: number;
  readonly planned: number;
  readonly joint?: number;
  readonly naive: number;
  /** The planned one, over all stages together where so wished. */
  readonly policy: Int32Array;
}

async function plan(run: string, flags: Flags): Promise<void> {
  const { trained, description } = await openModel(run);
  const { config, step, sha256 } = trained;
  const { numStages, numSteps, numPositions } = description;
  checkPlannable(description);
  if (flags.save !== undefined && flags.budget?.length !== 1)
    throw new UsageError('--save writes the policy of one budget: give --budget once');
  const budgets = flags.budget ?? [...DEFAULT_BUDGETS.filter((n) => n < numPositions), numPositions];
  const given = flags.policy === undefined ? undefined : await readPolicy(flags.policy, description);
  for (const file of [flags.out, flags.costs, flags.save]) if (file !== undefined) await checkWritable(file);

  const measured = await trained.loadComponents();
  const numSeen = measured.reduce((count, value) => count + Number(!Number.isNaN(value)), 0);
  const components = seenComponents(measured, numStages);
  const bitsPerDim = components.reduce((a, b) => a + b, 0);
  // As a plan prices them: noise must not make a policy look cheaper than it is.
  const sorted = sortedStages(components, numStages);
  const rows = budgets.map((budget) => rowOf(sorted, description, budget, flags.joint ?? false));
  const cost = given && costOfPolicy(sorted, given, numStages);

  const unit = bitsPer(mediumOf(config.data));
  const title = `${config.name}, step ${step}`;
  if (flags.out !== undefined) {
    const how = flags.joint ? 'joint' : 'planned';
    const policies = [
      ...rows
        .filter(({ budget }) => budget < numPositions)
        .map(({ budget, policy }) => ({ name: `${how} ${budget}`, policy })),
      ...(given ? [{ name: flags.policy!, policy: given }] : []),
    ];
    await writeOutput(flags.out, Buffer.from(plotComponents({ title, components, numStages, policies })));
  }
  if (flags.costs !== undefined)
    await writeOutput(flags.costs, Buffer.from(plotCosts({ title, curves: costCurves(sorted, numStages) })));
  if (flags.save !== undefined)
    await writeOutput(flags.save, Buffer.from(`${JSON.stringify([...rows[0]!.policy])}\n`));

  if (flags.json) {
    const of = { checkpoint: trained.path, step, sha256, stages: numStages, steps: numSteps, seen: numSeen };
    const policy = given && { file: flags.policy, calls: given.length, bitsPerDim: cost };
    const told = rows.map((row) => ({ ...row, policy: [...row.policy] }));
    return console.log(JSON.stringify({ ...of, bitsPerDim, budgets: told, policy }, undefined, 2));
  }
  const seen = `${numSeen} of ${numSteps} steps seen (${((100 * numSeen) / numSteps).toFixed(1)} %)`;
  console.log(`${title}: ${seen}; their sum, the NELBO, is ${bitsPerDim.toFixed(4)} ${unit}`);
  console.log(tableOf(rows, unit));
  if (given) console.log(`${flags.policy}: ${given.length} calls, ${cost!.toFixed(4)} ${unit}`);
  for (const file of [flags.out, flags.costs, flags.save]) if (file !== undefined) console.log(file);
}

/** Throws UsageError where there is nothing to plan. */
function checkPlannable({ networkShape, numPositions }: ModelDescription): void {
  if (networkShape.factorization !== 'any-order')
    throw new UsageError(
      `there is nothing to plan: this model generates one variable a network call, always ${numPositions} in all`,
    );
}

function rowOf(
  components: Float64Array,
  { numStages, numPositions }: ModelDescription,
  budget: number,
  isJoint: boolean,
): Row {
  const equal = naivePolicy(numPositions, budget, numStages);
  const naive = costOfPolicy(components, equal, numStages);
  const all: Plan | undefined = budget === numPositions ? { policy: equal, cost: naive } : undefined;
  const planned = all ?? planStages(components, numStages, budget);
  const joint = numStages === 1 || all ? planned : planJointly(components, numStages, budget * numStages);
  return {
    budget,
    calls: equal.length,
    planned: planned.cost,
    ...(numStages > 1 && { joint: joint.cost }),
    naive,
    policy: (isJoint ? joint : planned).policy,
  };
}

function tableOf(rows: readonly Row[], unit: string): string {
  const bits = (of: (row: Row) => number | undefined) => rows.map((row) => of(row)?.toFixed(4));
  const columns = [
    { name: 'budget', cells: rows.map(({ budget }) => String(budget)) },
    { name: 'calls', cells: rows.map(({ calls }) => String(calls)) },
    { name: 'planned', cells: bits(({ planned }) => planned) },
    { name: 'joint', cells: bits(({ joint }) => joint) },
    { name: 'equal parts', cells: bits(({ naive }) => naive) },
  ];
  const filled = columns.filter(({ cells }) => cells.some((cell) => cell !== undefined));
  return `${formatTable(filled)}\n  (${unit})`;
}
