import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
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

/** A folder with a config that trains real MNIST in seconds, and a run folder that isn't there yet. */
export async function tinyRun(t: TestContext): Promise<{ config: string; folder: string }> {
  const home = await temporaryFolder(t);
  const config = path.join(home, 'tiny.yaml');
  await writeFile(config, CONFIG);
  return { config, folder: path.join(home, 'run') };
}

/** Starts a coordinator without workers of its own. */
export function start(t: TestContext, config: string, folder: string, args: readonly string[] = []): Run {
  return new Run(t, folder, ['--config', config, ...args]);
}

/** Starts a worker of one CPU thread. */
export async function join(t: TestContext, run: Run): Promise<Command> {
  return new Command(t, 'worker', ['--coordinator', await run.address(), '--cpu', '--threads', '1']);
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
