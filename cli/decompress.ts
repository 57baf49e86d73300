import { constants } from 'node:buffer';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { wholeNumber } from '../shared/cli.js';
import { openContainer, type Container } from '../shared/compression/container.js';
import {
  decodeOne,
  decompressFiles,
  numbered,
  restoreGroup,
  type DecompressOptions,
} from '../shared/compression/decompress.js';
import { isPlain } from '../shared/compression/entry.js';
import { CompressionError } from '../shared/compression/error.js';
import { nameProblem } from '../shared/compression/file-name.js';
import type { FileCoder } from '../shared/compression/file-coder.js';
import { markOf, type Header } from '../shared/compression/header.js';
import type { NamedFile } from '../shared/compression/restore.js';
import { addEngineFlags, engineChoice, type EngineFlags } from '../shared/engine-flags.js';
import { UserError } from '../shared/errors.js';
import { CodingMeter } from './coding-meter.js';
import { openSource } from './compressed-file.js';
import { exampleFile } from './example-file.js';
import { coding as usual, type Coding } from './file-coder.js';
import { findModel } from './find-model.js';
import { interruptible } from './interruptible.js';
import { writeOutput } from './output-file.js';

interface Flags extends EngineFlags {
  readonly out: string;
  readonly model?: string;
  readonly only?: number;
  readonly maxSize: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

const DEFAULT_MAX_SIZE = 2 ** 30;

/** `ardm decompress`: the files that `ardm compress` took. */
export function register(program: Command, coding: Coding = usual): void {
  const command = program
    .command('decompress')
    .description('give back the files that a compressed file holds, byte for byte')
    .argument('<file>', 'a file that ardm compress wrote; - is standard input')
    .option('-o, --out <folder>', 'where to put them; it is made if need be', '.')
    .option(
      '--model <run>',
      'the model that it was written with: run folder, checkpoint or exported model (default: searched for in the folders that ARDM_MODELS names)',
    )
    .option(
      '--only <n>',
      'example n alone, counted from 0 through all files, as ardm inspect numbers them: one of several in a file becomes a PNG, text or WAV of its own',
      wholeNumber(0, 2 ** 32),
    )
    .option(
      '--max-size <bytes>',
      'refuse what would become larger than this in all',
      wholeNumber(1, constants.MAX_LENGTH),
      DEFAULT_MAX_SIZE,
    )
    .option('--force', 'overwrite files that are there');
  addEngineFlags(command)
    .option('--json', 'tell the result as JSON')
    .action((file: string, flags: Flags) =>
      interruptible((signal) => decompress(file, flags, signal, coding)),
    );
}

async function decompress(file: string, flags: Flags, signal: AbortSignal, coding: Coding): Promise<void> {
  const { maxSize, only, out } = flags;
  const source = await openSource(file);
  const { header, entries } = await openContainer(source, maxSize);
  const checkedEntries = checkNames(entries, flags);
  const meter = new CodingMeter();
  const options: DecompressOptions = {
    ...{ of: source.name, coverage: coding.coverage, maxSize },
    openCoder: () => openCoder(header, source.name, flags, { signal, onCall: meter.onCall }, coding),
    onBatches: (numBatches) => meter.start(numBatches, header.plan.policy.length),
  };
  const files =
    only === undefined
      ? decompressFiles(checkedEntries, options)
      : decompressOne(checkedEntries, only, options, flags);
  const written: { path: string; bytes: number }[] = [];
  try {
    for await (const { name, bytes } of files) {
      signal.throwIfAborted();
      const at = path.join(out, name);
      await makeFolder(out);
      await writeOutput(at, bytes);
      written.push({ path: path.resolve(at), bytes: bytes.length });
      if (!flags.json) console.log(at);
    }
  } finally {
    meter.close();
  }
  if (flags.json) console.log(JSON.stringify({ model: header.model, files: written }, undefined, 2));
}

/** Opens the model that a file was written with, on an engine that computes the same bits. */
async function openCoder(
  { model, engine, plan, version }: Header,
  of: string,
  flags: Flags,
  watch: { readonly signal: AbortSignal; readonly onCall: () => void },
  { open, hashOf }: Coding,
): Promise<FileCoder> {
  const run = await findModel(model, of, flags.model, hashOf);
  const fast = engine.kind === 'fast' ? { fast: engineChoice(flags) } : {};
  const coder = await open(run, { ...watch, ...fast, plan });
  const here = markOf(coder.engine);
  if (engine.kind === 'fast' && here.kind === 'fast' && here.fingerprint !== engine.fingerprint)
    throw new UserError(
      `${of} was written with --fast on ${engine.fingerprint}, and this is ${here.fingerprint}: decompress it there, or compress it anew without --fast`,
    );
  if (engine.kind === 'exact' && here.kind === 'exact' && here.digest !== engine.digest)
    throw new UserError(
      `${of} was written by ardm ${version}, which computes other bits than this one: use that version`,
    );
  return coder;
}

/** Throws before anything is computed where a file can't be written. */
async function* checkNames(entries: Container['entries'], { out, force, only }: Flags): Container['entries'] {
  for await (const entry of entries) {
    const problem = nameProblem(entry.name);
    if (problem)
      throw new CompressionError(
        `a file in it is called ${JSON.stringify(entry.name)}, and can't be written, for ${problem}`,
      );
    if (only === undefined) checkNew(path.join(out, entry.name), force);
    yield entry;
  }
}

function checkNew(file: string, force: boolean | undefined): void {
  if (!force && existsSync(file))
    throw new UserError(
      `${file} is there already: choose another folder with --out, or overwrite it with --force`,
    );
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new UserError(`can't make the folder ${folder}: ${error.message}`, undefined, { cause: error });
  });
}

/** The file that example n is all of, or else the example as a file of its own. */
async function* decompressOne(
  entries: Container['entries'],
  only: number,
  options: DecompressOptions,
  { out, force }: Flags,
): AsyncGenerator<NamedFile> {
  let count = 0;
  for await (const { placed, first, end } of numbered(entries)) {
    count = end;
    if (only >= end) continue;
    const { entry } = placed;
    if (isPlain(entry) || entry.streams.length <= 1) {
      checkNew(path.join(out, entry.name), force);
      yield* restoreGroup([placed], isPlain(entry) ? undefined : await options.openCoder(), options);
      return;
    }
    const coder = await options.openCoder();
    const { example, absent } = await decodeOne({ ...placed, entry }, only - first, coder, options);
    const file = exampleFile(entry.name, only - first, example, absent, coder.model);
    checkNew(path.join(out, file.name), force);
    yield file;
    return;
  }
  throw new UserError(`--only ${only}: ${options.of} has ${count} examples, counted from 0`);
}
