import { spawnSync } from 'node:child_process';

/** How many NVIDIA GPUs this machine has for us, counted as `--gpu` counts them; 0 where nvidia-smi tells of none. */
export function countGpus(): number {
  const { stdout } = spawnSync('nvidia-smi', ['-L'], { encoding: 'utf8', timeout: 10_000 });
  return numVisible(stdout ?? '', process.env.CUDA_VISIBLE_DEVICES);
}

/** How many of the GPUs in a listing by `nvidia-smi -L` are left by a value of CUDA_VISIBLE_DEVICES. */
export function numVisible(listing: string, visible: string | undefined): number {
  const numGpus = listing.split('\n').filter((line) => line.startsWith('GPU ')).length;
  if (visible === undefined || numGpus === 0) return numGpus;
  const entries = visible.split(',').map((entry) => entry.trim());
  // Of the instances of a divided GPU a process sees the first only.
  if (entries[0]!.startsWith('MIG-')) return 1;
  // CUDA reads up to the first entry that names none.
  const end = entries.findIndex((entry) => !/^(GPU-.+|\d+)$/.test(entry) || Number(entry) >= numGpus);
  return end < 0 ? entries.length : end;
}
