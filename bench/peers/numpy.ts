import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';
import { LineProcess } from '../line-process.js';

/** An installed numpy. */
export interface Numpy {
  readonly version: string;
  /** Starts bench/peers/policy.py. */
  start(): LineProcess;
}

/** numpy in the virtual environment at `ARDM_PEERS`, or bench/peers/.venv-numpy; a string says why it isn't there. */
export function findNumpy(): Numpy | string {
  const folder = process.env['ARDM_PEERS'] ?? path.join(packageRoot, 'bench/peers/.venv-numpy');
  const python = path.join(folder, 'bin/python');
  const howTo = 'bench/peers/numpy-requirements.txt says how to install it';
  if (!existsSync(python)) return `numpy is absent: there is no ${python}; ${howTo}`;
  try {
    const version = execFileSync(python, ['-c', 'import numpy; print(numpy.__version__)'], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
    const script = path.join(packageRoot, 'bench/peers/policy.py');
    return { version, start: () => new LineProcess('numpy', python, [script]) };
  } catch {
    return `numpy is absent: ${python} can't import it; ${howTo}`;
  }
}
