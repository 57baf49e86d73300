import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExactReport } from './exact-process.js';

const SCRIPT = fileURLToPath(new URL('./exact-process.js', import.meta.url));
/** An emulated processor takes half a minute, more where others compute too. */
const LIMIT_SECONDS = 400;

/** What small networks give in a process of their own, started by a command that ends in Node.js and its flags. */
export async function reportOf(command: string, ...args: readonly string[]): Promise<ExactReport> {
  const { stdout } = await promisify(execFile)(command, [...args, SCRIPT], { timeout: LIMIT_SECONDS * 1000 });
  return JSON.parse(stdout) as ExactReport;
}
