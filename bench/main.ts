import { Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../shared/errors.js';
import { benchCodecs } from './codecs.js';
import { benchCoding } from './coding.js';
import { SIZES, type SizeName } from './engine-cases.js';
import { benchEngine } from './engine.js';
import { MEDIA, type Medium } from './generation-cases.js';
import { benchCompression } from './compression.js';
import { benchExchange } from './exchange.js';
import { benchGeneration } from './generation.js';
import { benchLearning } from './learning.js';
import { benchObservability } from './observability.js';
import { benchOrders } from './orders.js';
import { benchPolicy } from './policy.js';
import { RUN_NAMES } from './reference-curve.js';
import { describeMachine, formatReport, type Findings, type Report } from './report.js';
import { benchRound } from './round.js';
import { benchScaling } from './scaling.js';

/** `npm run bench -- NAME [--json]`: the table or the JSON goes to stdout, what is going on to stderr. */
const say = (line: string) => void process.stderr.write(`${line}\n`);

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on');
  return value;
};

const listOf =
  <T>(parse: (text: string) => T) =>
  (text: string): T[] =>
    text.split(',').map(parse);

const sizeName = (text: string): SizeName => {
  if (!(text in SIZES)) throw new InvalidArgumentError(`sizes are ${Object.keys(SIZES).join(', ')}`);
  return text as SizeName;
};

const medium = (text: string): Medium => {
  if (!(text in MEDIA)) throw new InvalidArgumentError(`media are ${Object.keys(MEDIA).join(', ')}`);
  return text as Medium;
};

async function report(bench: string, json: boolean, find: () => Promise<Findings>): Promise<void> {
  const begun = {
    bench,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
  };
  const found: Report = { ...begun, ...(await find()) };
  process.stdout.write(`${json ? JSON.stringify(found, undefined, 2) : formatReport(found)}\n`);
}

const program = new Command('npm run bench --')
  .description('Measures ardm against its peers. A target whose peer is absent is `not run`, never met.')
  .showHelpAfterError()
  .addHelpText(
    'after',
    '\nOne benchmark at a time, on a machine that does nothing else: docs/performance.md.',
  );

const json = () =>
  new Option('--json', 'one JSON object instead of tables (with npm run --silent)').default(false);

program
  .command('engine')
  .description(
    'a training step against PyTorch, of the U-Net (sizes a to d) and others: time and peak memory',
  )
  .option(
    '--sizes <list>',
    `of ${Object.keys(SIZES).join(', ')}`,
    listOf(sizeName),
    Object.keys(SIZES) as SizeName[],
  )
  .option('--threads <list>', 'thread counts', listOf(positive), [1, 2])
  .option('--rounds <n>', 'timed steps of each side (default: 15 to 3, by size)', positive)
  .option('--tuned-peer', 'give PyTorch an allocator that keeps freed memory', false)
  .addOption(json())
  .action((options) => report('engine', options.json, () => benchEngine(options, say)));

program
  .command('scaling')
  .description(
    'images a second of real runs with 1 and 2 workers against a bare loop; the cost of small slices',
  )
  .option('--config <file>', 'config of the runs', 'cifar10-small.yaml')
  .option('--steps <n>', 'timed steps a run', positive, 6)
  .option('--rounds <n>', 'how often all is measured, in turn', positive, 3)
  .addOption(json())
  .action((options) => report('scaling', options.json, () => benchScaling(options, say)));

program
  .command('learning')
  .description('test NELBO while training on images, text or audio against a recorded curve')
  .addOption(new Option('--run <name>', 'what is trained').choices(RUN_NAMES).default('mnist'))
  .option(
    '--text <file>',
    'for text8: a file that begins as text8 does (default: the published set, fetched)',
  )
  .option('--audio <folder>', 'for audio: the clips that its curve was recorded with')
  .option('--seeds <list>', 'one run each; their mean is judged', listOf(Number), [0, 1, 2])
  .option('--threads <n>', 'threads of the engine', positive, 1)
  .addOption(json())
  .action((options) => report('learning', options.json, () => benchLearning(options, say)));

program
  .command('exchange')
  .description("what a step takes beyond its computing, workers on one host, against gloo's all-reduce")
  .option('--processes <list>', 'workers', listOf(positive), [2, 4])
  .option('--rounds <n>', 'timed steps of each run', positive, 20)
  .addOption(json())
  .action((options) => report('exchange', options.json, () => benchExchange(options, say)));

program
  .command('policy')
  .description(
    'planning for step budgets, one and all, of 3,072 and 16,000 steps against the numpy recurrence',
  )
  .option('--rounds <n>', 'how often each is timed', positive, 5)
  .addOption(json())
  .action((options) => report('policy', options.json, () => benchPolicy(options, say)));

program
  .command('coding')
  .description(
    "symbols a second of rANS on tables of 256 classes, and bits over the information, against constriction's",
  )
  .option('--rounds <n>', 'messages of 1,000,000 symbols; 20 times as many of 3,072', positive, 10)
  .addOption(json())
  .action((options) => report('coding', options.json, () => benchCoding(options, say)));

program
  .command('generation')
  .description('seconds a sample at step budgets, and what a network call costs beyond the bare forward pass')
  .option(
    '--media <list>',
    `of ${Object.keys(MEDIA).join(', ')}`,
    listOf(medium),
    Object.keys(MEDIA) as Medium[],
  )
  .option('--threads <n>', 'threads of the engine', positive, 1)
  .option('--rounds <n>', 'batches generated at each budget; one at the full budget', positive, 5)
  .addOption(json())
  .action((options) => report('generation', options.json, () => benchGeneration(options, say)));

program
  .command('compression')
  .description('bits of test images that are really coded, against PNG, WebP, JPEG XL and others')
  .requiredOption('--run <folder>', 'a trained run, such as runs/mnist of the quick start')
  .option('--examples <n>', 'the first n of its test split', positive, 500)
  .option('--budgets <list>', 'network calls a stage', listOf(positive), [20, 50])
  .addOption(json())
  .action((options) => report('compression', options.json, () => benchCompression(options, say)));

program
  .command('round')
  .description(
    'what a step takes beside its arithmetic, losing and regaining a worker, and a coordinator that is killed',
  )
  .option('--steps <n>', 'of each run without arithmetic', positive, 500)
  .addOption(json())
  .action((options) => report('round', options.json, () => benchRound(options, say)));

program
  .command('codecs')
  .description(
    'writing gradients for the wire and reading them: GB/s, bytes, and the link below which it pays',
  )
  .option('--sizes <list>', 'millions of parameters', listOf(positive), [1, 16])
  .option('--rounds <n>', 'of which the fastest counts', positive, 20)
  .addOption(json())
  .action((options) => report('codecs', options.json, () => benchCodecs(options, say)));

program
  .command('observability')
  .description(
    'a scrape of 64 workers, what a step costs whoever watches, and opening the folder of a long run',
  )
  .option('--events <n>', 'events of that folder: about 0.6 kB of disk each', positive, 10_000_000)
  .option('--step-seconds <s>', 'length of the step that the cost is held against', Number, 0.1)
  .addOption(json())
  .action((options) => report('observability', options.json, () => benchObservability(options, say)));

program
  .command('orders')
  .description("what models of the last 0, 1, 2, ... variables reach on a config's test split")
  .option('--config <file>', 'config whose data are taken', 'text8-small.yaml')
  .option('--set <path=value>', 'as of ardm-coord', (one: string, all: string[]) => [...all, one], [])
  .option('--order <n>', 'longest context', Number, 2)
  .addOption(json())
  .action((options) => report('orders', options.json, () => benchOrders(options, say)));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
