#!/usr/bin/env node
// Runs a command with WebGPU on a software device, for machines without a GPU. The device is SwiftShader, which npm's
// @sparticuz/chromium (a dependency of development only) brings along. Linux on x86-64.
//
//   node scripts/webgpu-software.mjs npx ardm doctor
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error('usage: node scripts/webgpu-software.mjs COMMAND [ARGUMENT]...');
  process.exit(2);
}

const environment = { ...process.env };
const folder = mkdtempSync(path.join(tmpdir(), 'ardm-webgpu-'));
try {
  // `inflate` unpacks into the temporary folder, and takes what it finds there for its own.
  process.env.TMPDIR = folder;
  const { inflate } = await import('@sparticuz/chromium');
  const build = path.dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium')));
  await inflate(path.join(build, '..', 'bin', 'swiftshader.tar.br'));
  const libraries = [folder, environment.LD_LIBRARY_PATH].filter(Boolean).join(':');
  const { status, signal, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: {
      ...environment,
      LD_LIBRARY_PATH: libraries,
      VK_ICD_FILENAMES: path.join(folder, 'vk_swiftshader_icd.json'),
    },
  });
  if (error) throw error;
  process.exitCode = signal ? 1 : status;
} catch (error) {
  console.error(`webgpu-software: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
