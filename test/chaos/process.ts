import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';

/** How a process ended: its exit code, or the signal that killed it. */
export type End = number | NodeJS.Signals;

/** A coordinator or worker process, and what it said last. */
export class Process {
  readonly child: ChildProcess;
  readonly ended: Promise<End>;
  /** Whatever it ends with now was asked for. */
  isDoomed = false;
  isFrozen = false;
  #output = '';

  /** @param within words that the command line begins with: a command that runs it in another place */
  constructor(name: 'coordinator' | 'worker', args: readonly string[], within: readonly string[] = []) {
    const bin = path.join(packageRoot, 'dist', name, 'bin.js');
    const [command, ...rest] = [...within, process.execPath, bin, ...args];
    this.child = spawn(command!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (data: Buffer) => (this.#output = (this.#output + data.toString()).slice(-2000)));
    this.ended = new Promise((resolve) =>
      this.child.once('exit', (code, signal) => resolve(signal ?? code!)),
    );
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get lastWords(): string {
    return this.#output.trim();
  }

  /** Ends it, by SIGKILL at once, by SIGTERM as it likes. */
  end(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.isDoomed = true;
    this.child.kill(signal);
  }

  freeze(): void {
    this.isFrozen = true;
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    this.child.kill('SIGCONT');
  }
}
