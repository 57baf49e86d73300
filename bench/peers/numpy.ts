import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';
import { LineProcess } from '../line-process.js';
import { moduleVersion, peerPython } from './python.js';

/** An installed numpy. */
export interface Numpy {
  readonly version: string;
  /** Starts bench/peers/policy.py. */
  start(): LineProcess;
}

/** numpy in the virtual environment at `ARDM_PEERS`, or bench/peers/.venv-numpy; a string says why it isn't there. */
export function findNumpy(): Numpy | string {
  const python = peerPython('.venv-numpy');
  const howTo = 'bench/peers/numpy-requirements.txt says how to install it';
  if (!existsSync(python)) return `numpy is absent: there is no ${python}; ${howTo}`;
  try {
    const version = moduleVersion(python, 'numpy');
    const script = path.join(packageRoot, 'bench/peers/policy.py');
    return { version, start: () => new LineProcess('numpy', python, [script]) };
  } catch {
    return `numpy is absent: ${python} can't import it; ${howTo}`;
  }
}
