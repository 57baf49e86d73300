import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError } from '../shared/errors.js';

/** A process that answers each line of JSON with one line of JSON, in order. */
export class LineProcess {
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #complaint = '';

  constructor(name: string, command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.#name = name;
    this.#child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: 'pipe' });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-4000);
    });
    this.#child.on('error', (error) => (this.#complaint += error.message));
    // A process that is gone shows as the end of its answers.
    this.#child.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  send(request: object): void {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
  }

  /** Throws UserError with the process's last words when it ended instead of answering. */
  async ask<Answer>(request: object): Promise<Answer> {
    this.send(request);
    const { value, done } = await this.#answers.next();
    if (done) throw new UserError(`${this.#name} ended without an answer:\n${this.#complaint.trim()}`);
    return JSON.parse(value as string) as Answer;
  }

  /** Ends the process by ending its input. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await ended;
  }
}
