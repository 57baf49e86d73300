import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/**
 * An empty folder that goes when the test ends, with a disk of `size` (such as 64k) mounted as `at` in it; undefined where mounting
 * isn't allowed.
 */
export async function folderWithDisk(t: TestContext, size: string, at: string): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ardm-disk-'));
  const disk = path.join(folder, at);
  let mounted = false;
  t.after(async () => {
    if (mounted) execFileSync('umount', [disk]);
    await rm(folder, { recursive: true });
  });
  await mkdir(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { stdio: 'ignore' });
    mounted = true;
    return folder;
  } catch {
    return undefined;
  }
}
