import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Time as a process sees it: the machine's, or a simulation's. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls every so many milliseconds until the returned function is called. */
  every(milliseconds: number, call: () => void): () => void;
  sleep(milliseconds: number): Promise<void>;
  /** Resolves once what has arrived already was heard. */
  turn(): Promise<void>;
}

export const machineClock: Clock = {
  now: () => performance.now(),
  every(milliseconds, call) {
    const timer = setInterval(call, milliseconds);
    return () => clearInterval(timer);
  },
  sleep: (milliseconds) => sleep(milliseconds),
  turn: () => nextTurn(),
};
