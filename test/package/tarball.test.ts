import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { packageRoot, version } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

const run = promisify(execFile);

// As from a user's terminal: npm passes the project's own .npmrc on to what it runs.
const env = { ...process.env };
delete env.npm_config_onnxruntime_node_install;

test('the packed package, installed in an empty folder, gives three commands and an engine', async (t) => {
  const folder = await temporaryFolder(t);
  const npm = (cwd: string, ...args: string[]) => run('npm', [...args, '--loglevel=error'], { cwd, env });
  const packed = await npm(packageRoot, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = files.map((file) => file.path);
  for (const wanted of [
    'configs/mnist.yaml',
    'configs/cifar10.yaml',
    'deploy/',
    'scripts/build-tfjs-node.sh',
  ])
    assert.ok(
      paths.some((each) => each.startsWith(wanted)),
      `${wanted} is not packed`,
    );
  for (const unwanted of [/^dist\/(test|bench)\//, /^test\//, /\.ts$/, /node_modules/])
    assert.deepEqual(
      paths.filter((each) => unwanted.test(each)),
      [],
    );

  const home = path.join(folder, 'project');
  await mkdir(home);
  await npm(home, 'install', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, filename));
  const command = (name: string, ...args: string[]) =>
    run(path.join(home, 'node_modules', '.bin', name), args, { cwd: home, env });
  for (const name of ['ardm', 'ardm-coord', 'ardm-worker']) {
    assert.match((await command(name, '--help')).stdout, new RegExp(`Usage: ${name}\\b`));
    assert.equal((await command(name, '--version')).stdout.trim(), version);
  }
  const { engines } = JSON.parse((await command('ardm', 'doctor', '--json')).stdout);
  assert.ok(
    engines.some((each: { engine: string; passes: boolean }) => each.engine === 'onnxruntime' && each.passes),
  );
});
