import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../coordinator/events.js';
import { packageRoot } from '../../shared/package.js';

/** Longer than anything here takes; a test that waits for so long has failed. */
const PATIENCE_MS = 120_000;

interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export type Logged<K extends RunEvent['event']> = RunEvent & { event: K; time: string };

/** All events of a kind in the log of a run's folder. */
export function eventsIn<K extends RunEvent['event']>(folder: string, kind: K): Logged<K>[] {
  const file = path.join(folder, 'events.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Logged<K>)
    .filter(({ event }) => event === kind);
}

/** A process of a script; killed when the test ends. */
export class Script {
  readonly child: ChildProcess;
  readonly #exit: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';

  constructor(t: TestContext, script: string | URL, args: readonly string[], options: CommandOptions = {}) {
    const file = script instanceof URL ? fileURLToPath(script) : script;
    this.child = spawn(process.execPath, [file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    this.child.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.#exit = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve(signal ?? code!)),
    );
    t.after(() => this.child.kill('SIGKILL'));
  }

  /** The exit code, or the signal that killed it. */
  async exit(): Promise<number | NodeJS.Signals> {
    return withPatience(this.#exit, () => `${this.child.spawnargs.join(' ')} goes on: ${this.stderr}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** A process of one of the three commands. */
export class Command extends Script {
  constructor(
    t: TestContext,
    name: 'coordinator' | 'worker' | 'cli',
    args: readonly string[],
    options: CommandOptions = {},
  ) {
    super(t, path.join(packageRoot, 'dist', name, 'bin.js'), args, options);
  }
}

/** A coordinator on free ports, with the event log of its run folder. */
export class Run extends Command {
  readonly folder: string;
  /** Coordinators that listened in this folder before. */
  readonly #earlier: number;

  constructor(t: TestContext, folder: string, args: readonly string[], options: CommandOptions = {}) {
    const ports = ['--listen', 'tcp://127.0.0.1:0', '--http', '127.0.0.1:0'];
    super(t, 'coordinator', ['--run-dir', folder, ...ports, ...args], options);
    this.folder = folder;
    this.#earlier = this.events('listen').length;
  }

  /** All events of this kind so far, those of earlier processes in the same folder among them. */
  events<K extends RunEvent['event']>(kind: K): Logged<K>[] {
    return eventsIn(this.folder, kind);
  }

  /** Waits for the first event of a kind, beyond `after` earlier ones, that `fits`. */
  async event<K extends RunEvent['event']>(
    kind: K,
    fits: (event: Logged<K>) => boolean = () => true,
    after = 0,
  ): Promise<Logged<K>> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const found = this.events(kind).slice(after).find(fits);
      if (found) return found;
      if (this.child.exitCode !== null) break;
      await sleep(20);
    }
    const late = this.events(kind).slice(after).find(fits);
    if (late) return late;
    throw new Error(`no event ${kind}: ${this.stderr}`);
  }

  /** Where workers join it. */
  async address(): Promise<string> {
    return (await this.event('listen', () => true, this.#earlier)).workers;
  }
}

async function withPatience<T>(promise: Promise<T>, what: () => string): Promise<T> {
  const limit = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error(what());
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    limit.abort();
    late.catch(() => undefined);
  }
}
