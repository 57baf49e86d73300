import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../coordinator/events.js';
import { UserError } from '../shared/errors.js';

export type LoggedEvent = RunEvent & { time: string };

/** Steps before the timed ones: programs compile, memory is first touched. */
const WARM_UP = 2;

/**
 * Trains with a coordinator and `numWorkers` workers of one CPU thread each, all processes of their own, and resolves
 * with the seconds of each of `numSteps` steps as the times in the event log tell them.
 */
export async function timeRun(config: string, numWorkers: number, numSteps: number): Promise<number[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ardm-bench-'));
  const runFolder = path.join(folder, 'run');
  const settings = {
    'training.steps': WARM_UP + numSteps + 1,
    'evaluation.examples': 1,
    'samples.count': 0,
    'checkpoints.everySteps': 0,
    'workers.minimum': numWorkers,
  };
  const coordinator = new Process('ardm-coord', '../coordinator/bin.js', [
    ...['--config', config, '--run-dir', runFolder, '--workers', '0', '--resume', 'never'],
    ...['--listen', 'tcp://127.0.0.1:0', '--http', '127.0.0.1:0'],
    ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
  ]);
  const processes = [coordinator];
  try {
    const address = await listenAddress(runFolder, coordinator);
    for (let nth = 0; nth < numWorkers; nth++) {
      const args = ['--coordinator', address, '--cpu', '--threads', '1'];
      processes.push(new Process('ardm-worker', '../worker/bin.js', args));
    }
    await coordinator.done();
    const times = readEvents(runFolder)
      .filter(({ event }) => event === 'step')
      .map(({ time }) => Date.parse(time));
    return times.slice(WARM_UP + 1).map((time, nth) => (time - times[WARM_UP + nth]!) / 1000);
  } finally {
    for (const process of processes) process.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where workers join, once the coordinator listens. */
export async function listenAddress(runFolder: string, coordinator: Process): Promise<string> {
  while (true) {
    const listening = readEvents(runFolder).find(({ event }) => event === 'listen');
    if (listening?.event === 'listen') return listening.workers;
    coordinator.check();
    await sleep(100);
  }
}

/** The complete lines of the log. */
export function readEvents(runFolder: string): LoggedEvent[] {
  const file = path.join(runFolder, 'events.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LoggedEvent);
}

/** A process of ours, and its last words. */
export class Process {
  readonly #name: string;
  readonly #child: ChildProcess;
  #output = '';

  constructor(name: string, script: string, args: readonly string[]) {
    this.#name = name;
    const file = fileURLToPath(new URL(script, import.meta.url));
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000)));
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Throws UserError with its last words when the process has failed. */
  check(): void {
    const { exitCode, signalCode } = this.#child;
    if ((exitCode ?? 0) === 0 && signalCode === null) return;
    throw new UserError(`${this.#name} ended with ${exitCode ?? signalCode}:\n${this.#output.trim()}`);
  }

  async done(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    this.check();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
