import { Command } from 'commander';
import { checkedBy, exitCodeOf, throwing, wholeNumber } from '../shared/cli.js';
import { httpAddressSchema, workerAddressSchema } from '../shared/config/schema.js';
import { UsageError } from '../shared/errors.js';
import { version } from '../shared/package.js';

/** What `ardm-coord` was asked for. */
export interface Options {
  readonly config: string;
  /** `path=value` each, in the order of precedence: those of `--set`, then what the other flags say of the config. */
  readonly sets: readonly string[];
  /** undefined: runs/<name of the config> */
  readonly runDir: string | undefined;
  /** `latest`, `never`, or the path of a checkpoint. */
  readonly resume: string;
  /** Folder of the coordinator's keys. */
  readonly keys: string | undefined;
  /** Listens beyond this machine although nothing tells friend from stranger there. */
  readonly insecure: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  ardm-coord --config mnist.yaml                       a packaged config; trains into runs/mnist
  ardm-coord --config cifar10.yaml --workers auto     a worker on each GPU of this machine
  ardm-coord --config cifar10.yaml --dry-run           what it would take: parameters, bytes, memory
  ardm-coord --config my.yaml --set training.batch=64 --set 'model.network.multipliers=[1, 2]'
  ardm-coord --config my.yaml --listen tcp://127.0.0.1:6000 --workers 0
  ardm-coord --config my.yaml --listen tcp://0.0.0.0:5670 --keys keys

Start it again and it goes on from the newest checkpoint. Ctrl-C saves and stops; a second one stops at once.
Exit codes: 0 done, 1 failure, 2 wrong flags or config, 3 too few workers, 130 and 143 stopped by a signal.`;

interface Flags {
  config?: string;
  runDir?: string;
  workers?: number | 'auto';
  listen?: string;
  http?: string;
  steps?: number;
  resume: string;
  set?: string[];
  keys?: string;
  insecure?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** The `ardm-coord` command line. */
export function createCommand(): Command {
  return throwing(new Command('ardm-coord'))
    .description('Train a model: deals the work to workers, averages their gradients, keeps the checkpoints.')
    .version(version)
    .option('--config <file>', 'YAML file: yours, or the name of a packaged one (required)')
    .option('--run-dir <dir>', 'where everything of the run goes (default: runs/<name of the config>)')
    .option(
      '--workers <n>',
      'workers to start on this machine, on its CPU; auto: one on each GPU; 0 waits for outside ones',
      orAuto(wholeNumber(0, 1024)),
    )
    .option(
      '--listen <address>',
      'where workers connect: tcp://HOST:PORT; port 0 is any free one',
      checkedBy(workerAddressSchema),
    )
    .option(
      '--http <address>',
      'where /metrics is served: HOST:PORT; port 0 is any free one',
      checkedBy(httpAddressSchema),
    )
    .option('--steps <n>', 'train until this many steps are done', wholeNumber(1, 2 ** 32 - 1))
    .option(
      '--resume <what>',
      'latest: from the newest good checkpoint; never: anew; or the path of a checkpoint',
      'latest',
    )
    .option('--set <path=value>', 'another value for a setting of the config; may be repeated', collect)
    .option(
      '--keys <dir>',
      'only workers with a key that this folder allows may join: see `ardm keys` (default: the text in ARDM_KEYS, or none)',
    )
    .option(
      '--insecure',
      'listen beyond this machine without keys: whoever reaches the port can join and change the weights',
    )
    .option('--dry-run', 'only print the whole config and what it takes')
    .option('--json', 'every event as a line of JSON on standard output; with --dry-run, its report as JSON')
    .addHelpText('after', EXAMPLES);
}

/**
 * Reads the flags of `ardm-coord`; `exitCode` instead where help or the version was asked for, and printed.
 *
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): Options | { readonly exitCode: number } {
  const command = createCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    return { exitCode: exitCodeOf(error) };
  }
  const {
    config,
    set = [],
    workers,
    listen,
    http,
    steps,
    runDir,
    resume,
    keys,
    ...switches
  } = command.opts<Flags>();
  const { insecure = false, dryRun = false, json = false } = switches;
  if (config === undefined) throw new UsageError('--config FILE is missing. --help tells more');
  if (keys !== undefined && insecure) throw new UsageError('--keys and --insecure contradict each other');
  const flags = { 'training.steps': steps, 'workers.local': workers, listen, http };
  const sets = Object.entries(flags).flatMap(([path, value]) =>
    value === undefined ? [] : `${path}=${value}`,
  );
  return { config, sets: [...set, ...sets], runDir, resume, keys, insecure, dryRun, json };
}

const orAuto = (read: (text: string) => number) => (text: string) => (text === 'auto' ? text : read(text));

const collect = (value: string, previous: string[] = []) => [...previous, value];
