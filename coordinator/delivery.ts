import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Brings a notice somewhere. Throws an error whose message says why it could not, without where it went; never later than it may. */
export type Delivery = (body: string, signal: AbortSignal) => Promise<void>;

/** How long a receiver may take, and how long to wait before each further try. */
export interface Patience {
  readonly timeoutMs: number;
  readonly pausesMs: readonly number[];
}

const WEBHOOK: Patience = { timeoutMs: 10_000, pausesMs: [1_000, 5_000] };
const COMMAND_MS = 30_000;

/** By POST, as JSON. What is not taken for now (no answer, HTTP 408, 429 or 5xx) is tried again. */
export function byWebhook(url: string, { timeoutMs, pausesMs }: Patience = WEBHOOK): Delivery {
  return async (body, signal) => {
    for (const pauseMs of [...pausesMs, undefined]) {
      const problem = await post(url, body, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      if (problem === undefined) return;
      if (problem.isFinal || signal.aborted || pauseMs === undefined) throw new Error(problem.reason);
      // Where the run ends meanwhile, the last try comes at once and fails.
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
}

async function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<{ reason: string; isFinal: boolean } | undefined> {
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await answer.body?.cancel();
    if (answer.ok) return undefined;
    const { status } = answer;
    return { reason: `HTTP ${status}`, isFinal: status < 500 && status !== 408 && status !== 429 };
  } catch (error) {
    if (signal.aborted) return { reason: 'no answer in time', isFinal: false };
    // The messages have the address in them.
    const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    return { reason: typeof code === 'string' ? code : 'it could not be reached', isFinal: false };
  }
}

/** To the standard input of a program, which is started without a shell and killed when it takes too long. */
export function byCommand([program, ...args]: readonly string[], timeoutMs = COMMAND_MS): Delivery {
  return async (body, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const child = spawn(program!, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      signal: limit,
      killSignal: 'SIGKILL',
    });
    // It need not read.
    child.stdin!.on('error', () => undefined).end(body);
    const [code, killedBy] = (await once(child, 'exit').catch((error: NodeJS.ErrnoException) => {
      throw new Error(limit.aborted ? 'it did not end in time' : `it can't be started: ${error.code}`);
    })) as [number | null, string | null];
    if (code !== 0) throw new Error(`it ended with ${killedBy ?? `exit code ${code}`}`);
  };
}
