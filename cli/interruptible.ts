import { StopSignals } from '../shared/stop-signals.js';

/** Runs what SIGINT and SIGTERM stop, by a signal whose reason is the error that the process is to end with. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new StopSignals();
  try {
    return await work(stopping.signal);
  } finally {
    stopping.close();
  }
}
