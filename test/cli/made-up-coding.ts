import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Command } from 'commander';
import * as compress from '../../cli/compress.js';
import * as decompress from '../../cli/decompress.js';
import type { Coding } from '../../cli/file-coder.js';
import * as inspect from '../../cli/inspect.js';
import { describeError, exitCodeOf, throwing } from '../../shared/cli.js';
import type { FileCoder } from '../../shared/compression/file-coder.js';
import { EXIT, UserError } from '../../shared/errors.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { coverage, madeUpCoder } from '../compression/made-up.js';

/** A made-up model is a file that holds its hash. */
async function hashOf(run: string): Promise<string> {
  return readFile(run, 'utf8').catch(() => {
    throw new UserError(`${run}: there is no checkpoint`);
  });
}

/** Models that are files, and a coder that knows 256 examples. */
export function madeUpCoding(change: Partial<FileCoder> = {}): Coding {
  return {
    coverage,
    hashOf,
    async open(run, { fast, plan, budget, signal, onCall }) {
      const modelHash = await hashOf(run);
      const usual = { policy: naivePolicy(16, budget ?? 16), seed: 7, batch: 4 };
      const coder = madeUpCoder({
        ...(fast && { engine: { kind: 'fast', fingerprint: `made-up of ${fast.threads} threads` } as const }),
        ...{ modelHash, plan: plan ?? usual },
      });
      const watched =
        <A extends unknown[], R>(work: (...args: A) => R) =>
        (...args: A): R => {
          signal.throwIfAborted();
          coder.plan.policy.forEach(onCall);
          return work(...args);
        };
      return { ...coder, encode: watched(coder.encode), decode: watched(coder.decode), ...change };
    },
  };
}

/** What one of the three commands prints in this process, and its exit code. */
export async function run(
  t: TestContext,
  args: readonly string[],
  coding: Coding = madeUpCoding(),
): Promise<{ status: number; stdout: Buffer; stderr: string }> {
  const program = throwing(new Command('ardm'));
  compress.register(program, coding);
  decompress.register(program, coding);
  inspect.register(program);
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const mocks = (['stdout', 'stderr'] as const).map((name) =>
    t.mock.method(process[name], 'write', (text: string | Uint8Array) =>
      Boolean(written[name].push(Buffer.from(text as string))),
    ),
  );
  let status: number = EXIT.done;
  let line = '';
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    try {
      status = exitCodeOf(error);
    } catch (thrown) {
      status = thrown instanceof UserError ? thrown.exitCode : 99;
      line = `${describeError('ardm', thrown, false)}\n`;
    }
  } finally {
    for (const mocked of mocks) mocked.mock.restore();
  }
  const [stdout, stderr] = [Buffer.concat(written.stdout), Buffer.concat(written.stderr)];
  return { status, stdout, stderr: stderr.toString() + line };
}

/** Names in a folder. */
export const inFolder =
  (folder: string) =>
  (...names: string[]): string =>
    path.join(folder, ...names);
