import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';
import { moduleVersion, peerPython } from './python.js';

/** PyTorch's gloo. */
export interface Gloo {
  readonly version: string;
  /** Milliseconds of each sum of so many float32 over so many processes, by the number of elements. */
  allReduce(numProcesses: number, rounds: number, elements: readonly number[]): number[][];
}

/** gloo in the virtual environment at `ARDM_PEERS`, or bench/peers/.venv; a string says why it isn't there. */
export function findGloo(): Gloo | string {
  const python = peerPython('.venv');
  const howTo = 'docs/performance.md says how to install it';
  if (!existsSync(python)) return `gloo is absent: there is no ${python}; ${howTo}`;
  try {
    const version = moduleVersion(python, 'torch');
    return { version, allReduce: (...args) => allReduce(python, ...args) };
  } catch (error) {
    return `gloo is absent: ${python} can't import torch (${String((error as { stderr?: unknown }).stderr).trim()}); ${howTo}`;
  }
}

function allReduce(
  python: string,
  numProcesses: number,
  rounds: number,
  elements: readonly number[],
): number[][] {
  const script = path.join(packageRoot, 'bench/peers/all_reduce.py');
  const output = execFileSync(
    python,
    ['-W', 'ignore', script, ...[numProcesses, rounds, ...elements].map(String)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as number[]);
}
