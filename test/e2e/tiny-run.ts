import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { FILES } from '../../shared/checkpoint/state.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command, Run } from './processes.js';

const CONFIG = `
name: tiny
data: { set: mnist }
model:
  network: { kind: unet, channels: 8, blocks: 1, groups: 4, dropout: 0.1 }
training: { steps: 24, batch: 16, slices: 8, learningRate: 2.0e-3, ema: 0.9 }
evaluation: { everySteps: 10, examples: 20, batch: 8 }
samples: { count: 4, budget: 4, batch: 2 }
checkpoints: { everySteps: 5, keepLast: 3 }
workers: { heartbeatSeconds: 0.5, heartbeatTimeoutSeconds: 3, hashEverySteps: 4, bucketBytes: 8192 }
`;

/**
 * A folder with a config, `text` or one that trains real MNIST in seconds, and a run folder that isn't there yet. Names in the
 * config are relative to the run folder's parent.
 */
export async function tinyRun(t: TestContext, text = CONFIG): Promise<{ config: string; folder: string }> {
  const home = await temporaryFolder(t);
  const config = path.join(home, 'tiny.yaml');
  await writeFile(config, text);
  return { config, folder: path.join(home, 'run') };
}

/** Starts a coordinator without workers of its own. */
export function start(
  t: TestContext,
  config: string,
  folder: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Run {
  return new Run(t, folder, ['--config', config, ...args], { env });
}

/** Starts a worker of one CPU thread. */
export async function join(t: TestContext, run: Run, args: readonly string[] = []): Promise<Command> {
  const own = ['--coordinator', await run.address(), '--cpu', '--threads', '1'];
  return new Command(t, 'worker', [...own, ...args]);
}

/** The checkpoints of a run as `ardm checkpoint list --json` tells them. */
export async function checkpoints(
  t: TestContext,
  folder: string,
): Promise<{ step: number; sha256: string; path: string }[]> {
  const list = new Command(t, 'cli', ['checkpoint', 'list', folder, '--json']);
  await list.exit();
  return JSON.parse(list.stdout) as { step: number; sha256: string; path: string }[];
}

/** What a run came to: the parameters' hash, and the bytes of the loss components' file. */
export interface End {
  readonly sha256: string;
  readonly components: string;
}

/** The end of a run, which must have ended well, and whose replicas must have agreed all the way. */
export async function endOf(t: TestContext, run: Run, lastStep: number): Promise<End> {
  assert.equal(await run.exit(), 0, run.stderr);
  const last = (await checkpoints(t, run.folder)).at(-1)!;
  assert.equal(last.step, lastStep);
  assert.deepEqual(run.events('divergence'), []);
  const components = readFileSync(path.join(last.path, FILES.components)).toString('base64');
  return { sha256: last.sha256, components };
}
