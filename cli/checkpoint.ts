import path from 'node:path';
import type { Command } from 'commander';
import { Damage } from '../shared/checkpoint/damage.js';
import { readLatest } from '../shared/checkpoint/folder.js';
import { readManifest, totalBytes } from '../shared/checkpoint/manifest.js';
import { entriesIn, locate } from '../shared/checkpoint/newest.js';
import { verifyFiles } from '../shared/checkpoint/verify.js';
import { EXIT, UserError } from '../shared/errors.js';
import { megabytes } from '../shared/data/download.js';
import { registerImport } from './checkpoint-import.js';

/** What is known of a checkpoint without reading its tensors. */
interface Listed {
  readonly step: number;
  /** Of its parameters' bytes. */
  readonly sha256: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written: ISO 8601, UTC. */
  readonly time: string;
  /** The one published last. */
  readonly latest: boolean;
}

/** Paths of the checkpoints at a place, oldest first. */
async function checkpointsAt(at: string): Promise<string[]> {
  const place = locate(at);
  if (!place) throw new UserError(`there is no folder ${at}. Name a run's folder, such as runs/mnist`);
  if ('checkpoint' in place) return [place.checkpoint];
  return (await entriesIn(place.folder)).map((entry) => entry.path).reverse();
}

async function describe(checkpoint: string): Promise<Listed> {
  const manifest = await readManifest(checkpoint);
  const { step, sha256, time } = manifest;
  const latest = (await readLatest(path.dirname(checkpoint))) === path.basename(checkpoint);
  return { step, sha256, path: checkpoint, bytes: totalBytes(manifest), time, latest };
}

/** What is wrong with a checkpoint; undefined when all of it is as it was written. */
async function damageOf(checkpoint: string): Promise<string | undefined> {
  try {
    await verifyFiles(checkpoint, await readManifest(checkpoint));
    return undefined;
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}

const RUN_DIR = "a run's folder, its folder of checkpoints, or one checkpoint";

/** `ardm checkpoint list | verify | import`: the checkpoints of a run. */
export function register(program: Command): void {
  const checkpoint = program
    .command('checkpoint')
    .description("list and verify the checkpoints of a run; import one of the original's");

  checkpoint
    .command('list')
    .description('the checkpoints, oldest first; * marks the one saved last')
    .argument('<run-dir>', RUN_DIR)
    .option('--json', 'as JSON: step, sha256 (of the parameters), path, bytes, time, latest')
    .action(async (at: string, { json }: { json?: boolean }) => {
      const listed: Listed[] = [];
      for (const folder of await checkpointsAt(at)) {
        try {
          listed.push(await describe(folder));
        } catch (error) {
          if (!(error instanceof Damage)) throw error;
          process.stderr.write(`${folder}: ${error.message}\n`);
        }
      }
      if (json) return console.log(JSON.stringify(listed, undefined, 2));
      if (listed.length === 0) console.log(`${at} has no checkpoints.`);
      for (const { step, sha256, path, bytes, time, latest } of listed) {
        console.log(`${latest ? '*' : ' '} step ${step}  ${megabytes(bytes)} MB  ${time}  ${path}`);
        console.log(`    parameters ${sha256}`);
      }
    });

  checkpoint
    .command('verify')
    .description(
      'read every byte and compare it with the checksums; fails if a checkpoint is damaged or none is there',
    )
    .argument('<run-dir>', RUN_DIR)
    .option('--json', 'as JSON: path, good, reason')
    .action(async (at: string, { json }: { json?: boolean }) => {
      const verified: { path: string; good: boolean; reason?: string }[] = [];
      for (const folder of await checkpointsAt(at)) {
        const reason = await damageOf(folder);
        verified.push({ path: folder, good: reason === undefined, reason });
      }
      if (json) console.log(JSON.stringify(verified, undefined, 2));
      else if (verified.length === 0) console.log(`${at} has no checkpoints.`);
      else for (const { path, reason } of verified) console.log(`${path}: ${reason ?? 'good'}`);
      if (verified.length === 0 || verified.some(({ good }) => !good)) process.exitCode = EXIT.failure;
    });

  registerImport(checkpoint);
}
