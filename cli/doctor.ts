import { execFile } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { defaultCacheFolder } from '../shared/cache-folder.js';
import { candidates } from '../shared/engine/candidates.js';
import { tryEngine, type Trial } from '../shared/engine/trial.js';
import { vulkanDevices } from '../shared/engine/vulkan.js';
import { EXIT } from '../shared/errors.js';
import { version } from '../shared/package.js';

/** The default ports of a coordinator. */
const PORTS = [
  { port: 5670, use: 'workers' },
  { port: 9464, use: 'metrics' },
];
const GB = 1e9;

/** `ardm doctor`: what this machine can train on, proved; exit code 0 when at least one engine passes. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('try every engine and device of this machine with a small training step')
    .option('--json', 'as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const say = (line: string) => json || console.log(line);
      const machine = {
        version,
        node: process.versions.node,
        platform: `${platform()} ${arch()}`,
        cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', threads: availableParallelism() },
        memoryBytes: totalmem(),
        nvidia: await nvidiaGpus(),
        vulkan: platform() === 'linux' ? vulkanDevices() : [],
      };
      say(`ardm ${version}, Node ${machine.node}, ${machine.platform}`);
      say(
        `CPU     ${machine.cpu.model}, ${machine.cpu.threads} threads, ${gigabytes(machine.memoryBytes)} memory`,
      );
      for (const gpu of machine.nvidia) say(`GPU     ${gpu}`);
      for (const { name, software } of machine.vulkan) say(`Vulkan  ${name}${software ? ' (software)' : ''}`);

      say('Engines, each with one small training step checked against the reference:');
      const engines: Trial[] = [];
      for (const candidate of candidates) {
        const numGpus = candidate.provider === 'cuda' ? machine.nvidia.length : 1;
        for (let gpu = 0; gpu < Math.max(1, numGpus); gpu++) {
          const trial = await tryEngine(candidate, gpu, machine.cpu.threads);
          engines.push(trial);
          describe(trial).forEach(say);
        }
      }

      const ports = await Promise.all(
        PORTS.map(async (each) => ({ ...each, free: await isFree(each.port) })),
      );
      for (const { port, use, free } of ports)
        say(`Port    ${port} (${use}) ${free ? 'is free' : 'is in use'}`);
      const cache = await inspectFolder(defaultCacheFolder());
      say(
        `Cache   ${cache.path} ${cache.writable ? 'is writable' : 'is NOT writable: ARDM_CACHE names another'}, ${gigabytes(cache.freeBytes)} free`,
      );
      if (json) console.log(JSON.stringify({ ...machine, engines, ports, cache }, undefined, 2));
      if (!engines.some(({ passes }) => passes)) process.exitCode = EXIT.failure;
    });
}

function describe({ engine, provider, gpu, ...trial }: Trial): string[] {
  if (trial.passes)
    return [
      `  ok    ${trial.description}: ${trial.milliseconds!.toFixed(1)} ms, off by ${trial.difference!.toExponential(1)}, ${trial.repeatable ? 'repeats to the bit' : 'does NOT repeat to the bit'}`,
    ];
  const name = [engine, provider, ...(gpu === undefined ? [] : [`GPU ${gpu}`])].join(', ');
  return [`  -     ${name}: ${trial.reason}`, `          it takes ${trial.remedy}`];
}

/** `GPU 0: NVIDIA H100 (UUID: ...)`, counted as CUDA's PCI order counts them. */
async function nvidiaGpus(): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['-L'], { timeout: 10_000 });
    return stdout.split('\n').filter((line) => line.startsWith('GPU '));
  } catch {
    return [];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function inspectFolder(path: string): Promise<{ path: string; writable: boolean; freeBytes: number }> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    const { bavail, bsize } = await statfs(path);
    return { path, writable: true, freeBytes: bavail * bsize };
  } catch {
    return { path, writable: false, freeBytes: 0 };
  }
}

const gigabytes = (bytes: number) => `${(bytes / GB).toFixed(1)} GB`;
