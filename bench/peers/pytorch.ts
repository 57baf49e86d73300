import { existsSync } from 'node:fs';
import path from 'node:path';
import type { NetworkConfig } from '../../shared/config/schema.js';
import { packageRoot } from '../../shared/package.js';
import { LineProcess } from '../line-process.js';
import { moduleVersion, peerPython } from './python.js';

/** glibc keeps freed memory instead of handing it back to the kernel and faulting it in again at each step. */
const KEEP_FREED_MEMORY = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 34),
  MALLOC_TOP_PAD_: String(2 ** 26),
};

/** An installed PyTorch. */
export interface Pytorch {
  readonly version: string;
  /** Starts bench/peers/NETWORK.py. `tuned`: with an allocator that keeps freed memory. */
  start(network: NetworkConfig['kind'], tuned: boolean): LineProcess;
}

/** PyTorch in the virtual environment at `ARDM_PEERS`, or bench/peers/.venv; a string says why it isn't there. */
export function findPytorch(): Pytorch | string {
  const python = peerPython('.venv');
  const howTo = 'docs/performance.md says how to install it';
  if (!existsSync(python)) return `PyTorch is absent: there is no ${python}; ${howTo}`;
  let version;
  try {
    version = moduleVersion(python, 'torch');
  } catch (error) {
    const lastLine = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
      .at(-1);
    return `PyTorch is absent: ${python} can't import torch (${lastLine}); ${howTo}`;
  }
  return {
    version,
    start(network, tuned) {
      const script = path.join(packageRoot, `bench/peers/${network}.py`);
      return new LineProcess('PyTorch', python, ['-W', 'ignore', script], tuned ? KEEP_FREED_MEMORY : {});
    },
  };
}
