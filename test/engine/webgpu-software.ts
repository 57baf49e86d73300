import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../shared/package.js';

/** Why this machine has no WebGPU device made of software; undefined where it has one. */
export const noSoftwareDevice =
  `${process.platform} ${process.arch}` === 'linux x64'
    ? undefined
    : 'WebGPU: its software device is for Linux on x86-64';

/** What a script beside this one prints, as JSON, when it runs with the software device. */
export async function reportOf<T>(script: string): Promise<T> {
  const wrapper = path.join(packageRoot, 'scripts', 'webgpu-software.mjs');
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [wrapper, process.execPath, file]);
  return JSON.parse(stdout) as T;
}
