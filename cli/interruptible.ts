import { EXIT, UserError } from '../shared/errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs what SIGINT and SIGTERM stop: the first aborts the signal that `work` gets, with the error that the process is to end
 * with; a second one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    const exitCode = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    if (stopping.signal.aborted) process.exit(exitCode);
    stopping.abort(new UserError(`stopped by ${name}`, exitCode));
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await work(stopping.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
