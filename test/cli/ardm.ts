import type { TestContext } from 'node:test';
import { Command } from '../e2e/processes.js';

/** Runs `ardm <command> ...` in the folder `home`; on the CPU where it computes. */
export async function ardm(t: TestContext, home: string, command: string, ...args: string[]) {
  const device = command === 'plan' ? [] : ['--cpu'];
  const process = new Command(t, 'cli', [command, ...device, ...args], { cwd: home });
  const status = await process.exit();
  return { status, stdout: process.stdout, stderr: process.stderr };
}
