import { Command, InvalidArgumentError, Option } from 'commander';
import { checkedBy, exitCodeOf, throwing, wholeNumber } from '../shared/cli.js';
import { DEFAULT_WORKER_ADDRESS, httpAddressSchema, workerAddressSchema } from '../shared/config/schema.js';
import { addEngineFlags, gpuNumber } from '../shared/engine-flags.js';
import { UsageError } from '../shared/errors.js';
import { version } from '../shared/package.js';

/** What `ardm-worker` was asked for. */
export interface Options {
  readonly coordinator: string;
  /** Path of the file with this worker's keys. */
  readonly keys?: string;
  /** Index of the GPU. */
  readonly gpu?: number;
  /** Instead of `gpu`: a process for each of several. */
  readonly gpus?: 'all' | readonly number[];
  readonly cpu: boolean;
  readonly engine?: 'onnxruntime' | 'tensorflow';
  readonly provider?: 'cuda' | 'webgpu' | 'cpu';
  readonly threads?: number;
  readonly connectTimeoutSeconds: number;
  /** Where its own /metrics are served, if they are. */
  readonly http?: string;
  /** Its standard input brings its keys, or an empty line, and ends when it is to end. */
  readonly stdin: boolean;
}

const EXAMPLES = `
Examples:
  ardm-worker --gpu 0                                   a coordinator on this machine, at its default port
  ardm-worker --gpu all                                 a process for each GPU; --gpu 0,2 for these
  ardm-worker --coordinator tcp://10.0.0.5:5670 --keys laptop.key --gpu 1
  ardm-worker --cpu --threads 4
  ARDM_COORDINATOR=tcp://10.0.0.5:5670 ardm-worker

Without --gpu or --cpu it takes the first GPU that works, else the CPU; \`ardm doctor\` tells what there is.
Exit codes: 0 the run is done, 1 failure, 2 wrong flags, 130 and 143 stopped by a signal.`;

type Flags = Pick<Options, 'coordinator' | 'keys' | 'engine' | 'provider' | 'threads' | 'http'> & {
  readonly connectTimeout: number;
  readonly gpu?: 'all' | readonly number[];
  readonly cpu?: boolean;
  readonly stdin?: boolean;
};

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
  const gpus = new Option('--gpu <which>', 'compute on this GPU, counted from 0; 0,1 or all: a process each');
  return addEngineFlags(command, gpus.argParser(readGpus))
    .option(
      '--stdin',
      'standard input brings the keys as its first line and ends when the worker is to end: for who starts it from elsewhere',
    )
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
  const { connectTimeout, gpu: which = [], cpu = false, stdin = false, ...options } = command.opts<Flags>();
  const { engine, provider } = options;
  if (cpu && provider !== undefined && provider !== 'cpu')
    throw contradiction('--cpu', `--provider ${provider}`);
  if (which.length > 0 && provider === 'cpu') throw contradiction(`--gpu ${which}`, '--provider cpu');
  if (engine === 'tensorflow' && provider === 'webgpu')
    throw contradiction('--engine tensorflow', '--provider webgpu');
  const devices = devicesOf(which);
  if (devices.gpus && options.http !== undefined && !options.http.endsWith(':0'))
    throw new UsageError(`--http ${options.http}: each GPU's process needs a port of its own: take port 0`);
  return { ...options, ...devices, cpu, stdin, connectTimeoutSeconds: connectTimeout };
}

function devicesOf(which: 'all' | readonly number[]): Pick<Options, 'gpu' | 'gpus'> {
  if (which === 'all' || which.length > 1) return { gpus: which };
  const [gpu] = which;
  return gpu === undefined ? {} : { gpu };
}

/** `all`, `0`, or `0,1,2`. */
function readGpus(text: string): 'all' | readonly number[] {
  if (text === 'all') return 'all';
  const gpus = text.split(',').map(gpuNumber);
  if (new Set(gpus).size < gpus.length) throw new InvalidArgumentError('It names one twice.');
  return gpus;
}

const contradiction = (one: string, other: string) =>
  new UsageError(`${one} and ${other} contradict each other`);
