import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';

/** The Python of the virtual environment at `ARDM_PEERS`, or in a folder of bench/peers; it need not be there. */
export function peerPython(folder: string): string {
  const environment = process.env['ARDM_PEERS'] ?? path.join(packageRoot, 'bench/peers', folder);
  return path.join(environment, 'bin/python');
}

/** The version of a module that a Python can import. Throws where it can't, with what it said as `stderr`. */
export function moduleVersion(python: string, module: string): string {
  const script = `import ${module}; print(${module}.__version__)`;
  return execFileSync(python, ['-W', 'ignore', '-c', script], { encoding: 'utf8', stdio: 'pipe' }).trim();
}
