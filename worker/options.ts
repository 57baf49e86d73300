import { Command, Option } from 'commander';
import { checkedBy, exitCodeOf, throwing, wholeNumber } from '../shared/cli.js';
import { DEFAULT_WORKER_ADDRESS, httpAddressSchema, workerAddressSchema } from '../shared/config/schema.js';
import { addEngineFlags } from '../shared/engine-flags.js';
import { UsageError } from '../shared/errors.js';
import { version } from '../shared/package.js';

/** What `ardm-worker` was asked for. */
export interface Options {
  readonly coordinator: string;
  /** Path of the file with this worker's keys. */
  readonly keys?: string;
  /** Index of the GPU. */
  readonly gpu?: number;
  readonly cpu: boolean;
  readonly engine?: 'onnxruntime' | 'tensorflow';
  readonly provider?: 'cuda' | 'webgpu' | 'cpu';
  readonly threads?: number;
  readonly connectTimeoutSeconds: number;
  /** Where its own /metrics are served, if they are. */
  readonly http?: string;
}

const EXAMPLES = `
Examples:
  ardm-worker --gpu 0                                   a coordinator on this machine, at its default port
  ardm-worker --coordinator tcp://10.0.0.5:5670 --keys laptop.key --gpu 1
  ardm-worker --cpu --threads 4
  ARDM_COORDINATOR=tcp://10.0.0.5:5670 ardm-worker

Without --gpu or --cpu it takes the first GPU that works, else the CPU; \`ardm doctor\` tells what there is.
Exit codes: 0 the run is done, 1 failure, 2 wrong flags, 130 and 143 stopped by a signal.`;

/** The `ardm-worker` command line. */
export function createCommand(): Command {
  const command = throwing(new Command('ardm-worker'))
    .description('Compute for a coordinator: joins it, at any time, and leaves when its run is done.')
    .version(version)
    .addOption(
      new Option('--coordinator <address>', 'where the coordinator listens: tcp://HOST:PORT')
        .env('ARDM_COORDINATOR')
        .default(DEFAULT_WORKER_ADDRESS)
        .argParser(checkedBy(workerAddressSchema)),
    )
    .option(
      '--keys <file>',
      "this worker's keys, as `ardm keys add` writes them (default: the text in ARDM_KEYS, or none)",
    );
  return addEngineFlags(command)
    .option(
      '--connect-timeout <seconds>',
      'give up when no coordinator answers for so long',
      wholeNumber(1, 86_400),
      300,
    )
    .option(
      '--http <address>',
      'serve its own /metrics: HOST:PORT; port 0 is any free one (default: not)',
      checkedBy(httpAddressSchema),
    )
    .addHelpText('after', EXAMPLES);
}

/**
 * Reads the flags of `ardm-worker`; `exitCode` instead where help or the version was asked for, and printed.
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
    connectTimeout,
    cpu = false,
    ...options
  } = command.opts<
    Omit<Options, 'connectTimeoutSeconds' | 'cpu'> & { connectTimeout: number; cpu?: boolean }
  >();
  const { gpu, engine, provider } = options;
  if (cpu && provider !== undefined && provider !== 'cpu')
    throw contradiction('--cpu', `--provider ${provider}`);
  if (gpu !== undefined && provider === 'cpu') throw contradiction(`--gpu ${gpu}`, '--provider cpu');
  if (engine === 'tensorflow' && provider === 'webgpu')
    throw contradiction('--engine tensorflow', '--provider webgpu');
  return { ...options, cpu, connectTimeoutSeconds: connectTimeout };
}

const contradiction = (one: string, other: string) =>
  new UsageError(`${one} and ${other} contradict each other`);
