import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Candidate } from './candidates.js';
import type { ProbeAnswer, ProbeRequest } from './probe.js';

/** What came of trying one engine on one device. */
export type Trial = Pick<ProbeRequest, 'engine' | 'provider'> & {
  /** Index of the GPU; absent for the CPU. */
  readonly gpu?: number;
  readonly passes: boolean;
  /** Of the engine that passed. */
  readonly description?: string;
  readonly difference?: number;
  readonly milliseconds?: number;
  readonly repeatable?: boolean;
  /** Why it doesn't pass, and what it takes. */
  readonly reason?: string;
  readonly remedy?: string;
};

const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));
/** A software GPU takes 10 s to compile its programs. */
const LIMIT_SECONDS = 120;

/** One small training step in a process of its own, checked against the reference. */
export async function tryEngine(candidate: Candidate, gpu: number, threads: number): Promise<Trial> {
  const { engine, provider } = candidate;
  const answer = await askProbe(PROBE, { engine, provider, gpu, threads }, LIMIT_SECONDS);
  const device = provider === 'cpu' ? {} : { gpu };
  return { engine, provider, ...device, ...answer, ...(answer.passes ? {} : { remedy: candidate.remedy() }) };
}

/** What the script answers; that it crashed or took too long is an answer too. */
export function askProbe(script: string, request: ProbeRequest, limitSeconds: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const options = { timeout: limitSeconds * 1000, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [script, JSON.stringify(request)], options, (error, stdout, stderr) => {
      const answer = stdout.trimEnd().split('\n').at(-1)!;
      if (answer.startsWith('{')) return resolve(JSON.parse(answer) as ProbeAnswer);
      const how = error?.killed
        ? `gave no answer within ${limitSeconds} s`
        : `ended its process with ${error?.signal ?? `exit code ${error?.code ?? 0}`}`;
      const [words = ''] = stderr.trim().split('\n').slice(-1);
      resolve({ passes: false, reason: words ? `it ${how}: ${words}` : `it ${how}.` });
    });
  });
}
