import { CommanderError, InvalidArgumentError, type Command } from 'commander';
import pc from 'picocolors';
import type { z } from 'zod';
import { EXIT, UsageError, UserError } from './errors.js';
import { leaveAtOnce } from './leave-at-once.js';

/**
 * Runs a program and ends the process with its exit code. Errors that the person can act on are printed as their
 * message; anything else with its stack, as a bug. A reader that closes the pipe early is no error.
 */
export async function runMain(
  name: string,
  main: (argv: readonly string[]) => Promise<number>,
): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  let exitCode: number;
  try {
    exitCode = await main(process.argv.slice(2));
  } catch (error) {
    exitCode = error instanceof UserError ? error.exitCode : EXIT.failure;
    process.stderr.write(`${describeError(name, error, Boolean(process.stderr.isTTY))}\n`);
  }
  await Promise.all([process.stdout, process.stderr].map(flushed));
  leaveAtOnce(exitCode);
}

/** What a person reads of an error: no stack unless it is a bug. `NO_COLOR` is honoured. */
export function describeError(name: string, error: unknown, onTerminal: boolean): string {
  const { red } = pc.createColors(onTerminal && !process.env.NO_COLOR);
  const prefix = red(`${name}:`);
  if (error instanceof UserError) return `${prefix} ${error.message}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${prefix} this is a bug, please report it with these lines:\n${stack}`;
}

const flushed = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => (stream.writable ? stream.write('', () => resolve()) : resolve()));

/** Makes a command, and those made from it afterwards, throw instead of ending the process: see `exitCodeOf`. */
export function throwing(command: Command): Command {
  return command.exitOverride().configureOutput({ outputError: () => undefined });
}

/**
 * The exit code after a `throwing` command threw because it has printed its help or version.
 *
 * @throws UsageError in one line where the flags were wrong, and whatever else was thrown
 */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return EXIT.done;
  if (error.code === 'commander.help') return EXIT.usage;
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  throw new UsageError(`${message.replace(/[.]$/, '')}. --help tells more`);
}

/** Reads a whole number between `least` and `most` from a flag. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** Reads a flag that has the form of a setting. */
export function checkedBy(schema: z.ZodString): (text: string) => string {
  return (text) => {
    const { error } = schema.safeParse(text);
    if (error) throw new InvalidArgumentError(`It ${error.issues[0]!.message}.`);
    return text;
  };
}
