import { existsSync } from 'node:fs';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { compressFiles } from '../shared/compression/compress.js';
import { sizeOf, writeContainer } from '../shared/compression/container.js';
import { isPlain, type Entry } from '../shared/compression/entry.js';
import { headerOf } from '../shared/compression/header.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { UsageError } from '../shared/errors.js';
import { version } from '../shared/package.js';
import { CodingMeter } from './coding-meter.js';
import { STANDARD, writeStandard } from './compressed-file.js';
import { coding as usual, type Coding } from './file-coder.js';
import { findInputs, readInputs, type InputFile } from './input-files.js';
import { interruptible } from './interruptible.js';
import { checkWritable, writeOutput } from './output-file.js';
import { POLICY_HELP } from './policies.js';

interface Flags extends EngineFlags {
  readonly out?: string;
  readonly recursive?: boolean;
  readonly budget?: number;
  readonly policy?: string;
  readonly exactEverywhere?: boolean;
  readonly fast?: boolean;
  readonly verify: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;

/** What became of an input. */
interface Outcome {
  readonly name: string;
  readonly bytes: number;
  readonly packedBytes: number;
  readonly method: Entry['method'];
  /** That the model codes; 0 where it codes none of the file. */
  readonly examples: number;
}

/** `ardm compress`: files into one, by a trained model. */
export function register(program: Command, coding: Coding = usual): void {
  const command = program
    .command('compress')
    .description(
      'compress files into one, losslessly, with a trained model; whoever decompresses it needs the same model',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .argument(
      '<input...>',
      'files of any kind: what the model can’t code is packed by a general compressor. Their names are kept, their folders are not',
    )
    .option('-o, --out <file>', 'the compressed file; - is standard output (default: <input>.ardm)')
    .option('-r, --recursive', 'also the files of folders, and of the folders below')
    .option(
      '--budget <calls>',
      'network calls for each batch of examples, in an upscale model a stage; fewer are faster and compress less (default: 50)',
      wholeNumber(1, WORD),
    )
    .option('--policy <how>', `${POLICY_HELP} (default: planned where the run has loss components)`)
    .addOption(
      new Option(
        '--exact-everywhere',
        'compute so that every machine can decompress it: the default',
      ).conflicts('fast'),
    )
    .option('--fast', 'compute on the engine at hand; then only one like it can decompress the file')
    .option('--no-verify', 'leave out decompressing in memory what was written, which takes half of the time')
    .option('--force', 'overwrite the compressed file if it is there');
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((run: string, inputs: string[], flags: Flags) =>
      interruptible((signal) => compress(run, inputs, flags, signal, coding)),
    );
}

async function compress(
  run: string,
  inputs: readonly string[],
  flags: Flags,
  signal: AbortSignal,
  { open, coverage }: Coding,
): Promise<void> {
  const files = await findInputs(inputs, flags.recursive ?? false);
  const out = await outputFile(flags, inputs, files);
  const { budget, policy, verify } = flags;
  const meter = new CodingMeter();
  const options = { budget, policy, signal, onCall: meter.onCall, ...fastChoice(flags) };
  const coder = await open(run, options);
  const header = headerOf(version, coder);
  const numCalls = coder.plan.policy.length;
  const { seed, batch } = coder.plan;
  console.error(
    `${countOf(files.length, 'file')} by model ${header.model}, ${numCalls} calls for each batch of ${batch} examples`,
  );

  const outcomes: Outcome[] = [];
  let packedBytes = 0;
  const entries = compressFiles(readInputs(files), {
    ...{ coder, coverage, verify },
    onBatches: (numBatches) => meter.start(numBatches, numCalls),
    onMistake: (name, why) => console.error(`${name} is packed without the model: ${why}`),
  });
  const counted = (async function* () {
    for await (const entry of entries) {
      outcomes.push(outcomeOf(entry));
      yield entry;
    }
  })();
  const pieces = (async function* () {
    for await (const piece of writeContainer(header, counted)) {
      signal.throwIfAborted();
      packedBytes += piece.length;
      yield piece;
    }
  })();
  try {
    await (out === STANDARD ? writeStandard(pieces) : writeOutput(out, pieces));
  } finally {
    meter.close();
  }

  const bytes = outcomes.reduce((sum, each) => sum + each.bytes, 0);
  console.error(summary(outcomes, bytes, packedBytes));
  if (out === STANDARD) return;
  if (!flags.json) return console.log(out);
  const of = { model: coder.modelHash, engine: coder.engine, calls: numCalls, seed, batch };
  const result = { path: path.resolve(out), bytes, packedBytes, ...of, files: outcomes };
  console.log(JSON.stringify(result, undefined, 2));
}

/** The engine at hand, where it was asked for. Throws UsageError where one is chosen that would not be used. */
function fastChoice(flags: Flags) {
  if (flags.fast) return { fast: engineChoice(flags) };
  const { gpu, engine, provider, threads } = flags;
  if ([gpu, engine, provider, threads].some((given) => given !== undefined))
    throw new UsageError(
      '--gpu, --engine, --provider and --threads need --fast: what is the same everywhere has one engine and thread',
    );
  return {};
}

/** Throws UsageError, UserError unless it can be written. */
async function outputFile(
  { out, force, json }: Flags,
  inputs: readonly string[],
  files: readonly InputFile[],
): Promise<string> {
  if (out === STANDARD) {
    if (json) throw new UsageError('--json needs standard output for itself: name a file with --out');
    if (process.stdout.isTTY) throw new UsageError('standard output is a terminal: name a file with --out');
    return out;
  }
  if (out === undefined && inputs.length > 1)
    throw new UsageError('name the compressed file of several inputs with --out');
  const file = out ?? `${path.basename(path.resolve(inputs[0]!))}.ardm`;
  if (files.some((input) => path.resolve(input.path) === path.resolve(file)))
    throw new UsageError(`${file} is one of the inputs: give another name with --out`);
  if (!force && existsSync(file))
    throw new UsageError(
      `${file} is there already: give another name with --out, or overwrite it with --force`,
    );
  await checkWritable(file);
  return file;
}

const outcomeOf = (entry: Entry): Outcome => ({
  ...{ name: entry.name, bytes: entry.length, packedBytes: sizeOf(entry), method: entry.method },
  examples: isPlain(entry) ? 0 : entry.streams.length,
});

function summary(outcomes: readonly Outcome[], bytes: number, packedBytes: number): string {
  const numExamples = outcomes.reduce((sum, { examples }) => sum + examples, 0);
  const numCoded = outcomes.filter(({ examples }) => examples > 0).length;
  const share = bytes > 0 ? ` (${((100 * packedBytes) / bytes).toFixed(1)} %)` : '';
  return (
    `${bytes} -> ${packedBytes} bytes${share}; ` +
    `by the model ${countOf(numCoded, 'file')} of ${outcomes.length}, ${countOf(numExamples, 'example')}`
  );
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
