import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** One quick retry: without a network npm would otherwise wait for more than a minute. */
const NPM_FLAGS = ['--loglevel=error', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
const LIMIT_SECONDS = 900;

/**
 * The tarball of a package, through the user's own `npm` and whatever registry it is set to.
 *
 * @param wanted what to ask for and the integrity (sha512-<base64>) that the tarball must have
 * @param scratchFolder where the tarball may lie for a moment
 * @throws Error that says why not: no npm, no network, another tarball than expected
 */
export async function packFromNpm(
  wanted: { spec: string; integrity: string },
  scratchFolder: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const folder = await mkdtemp(path.join(scratchFolder, 'npm-'));
  try {
    const args = ['pack', wanted.spec, '--pack-destination', folder, ...NPM_FLAGS];
    await promisify(execFile)('npm', args, { signal, timeout: LIMIT_SECONDS * 1000 }).catch((error) => {
      throw signal?.aborted ? error : new Error(reasonOf(error));
    });
    const [tarball] = await readdir(folder);
    const bytes = await readFile(path.join(folder, tarball!));
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    if (integrity !== wanted.integrity) {
      throw new Error(`the tarball has integrity ${integrity} instead of ${wanted.integrity}`);
    }
    return bytes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reasonOf(error: NodeJS.ErrnoException & { stderr?: string; killed?: boolean }): string {
  if (error.code === 'ENOENT') return 'there is no npm command';
  if (error.killed) return `npm took longer than ${LIMIT_SECONDS} s`;
  const lines = (error.stderr ?? '').split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, ''));
  return lines.find((line) => line !== '' && !/^(code|syscall|errno|path) /.test(line)) ?? error.message;
}
