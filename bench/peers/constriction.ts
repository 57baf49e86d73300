import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';
import { LineProcess } from '../line-process.js';
import { peerPython } from './python.js';

/** An installed constriction. */
export interface Constriction {
  readonly version: string;
  /** Starts bench/peers/coding.py. */
  start(): LineProcess;
}

const SAY_VERSION =
  "import constriction, importlib.metadata; print(importlib.metadata.version('constriction'))";

/** constriction in the virtual environment at `ARDM_PEERS`, or bench/peers/.venv-coding; a string says why it isn't there. */
export function findConstriction(): Constriction | string {
  const python = peerPython('.venv-coding');
  const howTo = 'bench/peers/coding-requirements.txt says how to install it';
  if (!existsSync(python)) return `constriction is absent: there is no ${python}; ${howTo}`;
  try {
    const version = execFileSync(python, ['-c', SAY_VERSION], { encoding: 'utf8', stdio: 'pipe' }).trim();
    const script = path.join(packageRoot, 'bench/peers/coding.py');
    return { version, start: () => new LineProcess('constriction', python, [script]) };
  } catch {
    return `constriction is absent: ${python} can't import it; ${howTo}`;
  }
}
