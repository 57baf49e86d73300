import path from 'node:path';
import type { Command } from 'commander';
import { parseFlax } from '../shared/checkpoint/flax.js';
import { listCheckpoints } from '../shared/checkpoint/folder.js';
import { importTrainState } from '../shared/checkpoint/import.js';
import { readLargeFile } from '../shared/checkpoint/large-file.js';
import { MessagePackError } from '../shared/checkpoint/message-pack.js';
import { trainStateOf } from '../shared/checkpoint/train-state.js';
import { writeCheckpoint } from '../shared/checkpoint/write.js';
import { describeRun } from '../shared/config/describe.js';
import { loadConfig } from '../shared/config/load.js';
import { UsageError, UserError } from '../shared/errors.js';
import { describeModel } from '../shared/model/description.js';

interface Flags {
  readonly config: string;
  readonly set: readonly string[];
  readonly runDir?: string;
  readonly json?: boolean;
}

/** `ardm checkpoint import`: a checkpoint of the original implementation, as one of ours. */
export function registerImport(checkpoint: Command): void {
  checkpoint
    .command('import')
    .description(
      'make a checkpoint of a train state that the original implementation saved (Flax, MessagePack): for sample, eval and ardm-coord',
    )
    .argument('<file>', "the original's, such as ckpt_3000: it names neither model nor data, the config does")
    .requiredOption('--config <file>', 'the run that it is of, such as cifar10.yaml')
    .option(
      '--set <path=value>',
      'another value for a setting of the config; may be repeated',
      (item: string, before: readonly string[]) => [...before, item],
      [],
    )
    .option('--run-dir <folder>', 'where it goes; has no checkpoints yet (default: runs/<name>)')
    .option('--json', 'tell the result as JSON: path, step, sha256 (of the parameters), bytes, notes')
    .action(importFile);
}

async function importFile(file: string, flags: Flags): Promise<void> {
  const loaded = await loadConfig(flags.config, flags.set);
  for (const note of loaded.notes) console.error(note);
  const { config, hash: configHash } = loaded;
  const runFolder = flags.runDir ?? path.join('runs', config.name);
  const folder = path.join(runFolder, 'checkpoints');
  if ((await listCheckpoints(folder).catch(() => [])).length > 0)
    throw new UsageError(`${runFolder} has checkpoints already: name another folder with --run-dir`);
  const { data } = await describeRun(loaded);
  const model = describeModel(config.model, data);

  const { bytes, sha256: chain } = await readLargeFile(file);
  const train = trainStateOf(parsed(bytes, file), file);
  const { state, notes } = importTrainState(train, { ...model, file, config: flags.config });
  const { step } = train;
  const { shape, numClasses, parameters } = model;
  const snapshot = {
    ...{ step, run: `import of ${path.basename(file)}`, config, configHash, chain, repeatable: false },
    ...{ shape, numClasses, parameters, state },
  };
  const written = await writeCheckpoint(folder, snapshot, config.checkpoints);
  const said = [...notes, ...written.warnings];
  for (const note of said) console.error(note);
  const { path: at, sha256, bytes: size } = written;
  if (flags.json)
    return console.log(JSON.stringify({ path: at, step, sha256, bytes: size, notes: said }, undefined, 2));
  console.log(`step ${step} of ${file} is now ${at}`);
  console.log(`    parameters ${sha256}`);
}

function parsed(bytes: Uint8Array, file: string) {
  try {
    return parseFlax(bytes);
  } catch (error) {
    if (!(error instanceof MessagePackError)) throw error;
    throw new UserError(
      `${file} is no whole state dict of Flax: ${error.message}. Copy it again, or name another`,
      undefined,
      { cause: error },
    );
  }
}
