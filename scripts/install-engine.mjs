#!/usr/bin/env node
// Installs onnxruntime-node, the default engine, beside ardm: npm's postinstall step, silent and instant where it is
// there already. It is no plain dependency, because its own installer fetches CUDA libraries from a host besides npm's
// registry and fails the whole installation where that can't be reached; here that installer doesn't run.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const version = peerDependencies['onnxruntime-node'];
// Found from all of ardm's code, and out of sight of npm, which removes what it didn't install itself.
const folder = path.join(root, 'dist');

function installedVersion() {
  try {
    return createRequire(path.join(folder, 'any.js'))('onnxruntime-node/package.json').version;
  } catch {
    return undefined;
  }
}

if (installedVersion() !== version) {
  console.log(`ardm: installing onnxruntime-node ${version} into ${folder}`);
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const flags = ['--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  // The flags of an outer `npm install --global` reach this one as its environment.
  const place = ['--global=false', '--location=project', `--prefix=${folder}`];
  const [command, ...args] = [...npm, 'install', ...flags, ...place, `onnxruntime-node@${version}`];
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0 || installedVersion() !== version) {
    console.error(
      `ardm: onnxruntime-node ${version} could not be installed. Try again: node ${fileURLToPath(import.meta.url)}`,
    );
    process.exitCode = 1;
  }
}
