import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import * as coordinator from '../../coordinator/options.js';
import { packageRoot } from '../../shared/package.js';
import * as worker from '../../worker/options.js';
import { temporaryFolder } from '../data/temporary.js';
import { unchecked } from '../support/unchecked.js';

const FOLDER = path.join(packageRoot, 'deploy/systemd');
const UNITS = { 'ardm-coord.service': 'ardm-coord.service', 'ardm-worker@.service': 'ardm-worker@1.service' };

const hasSystemd = !spawnSync('systemd-analyze', ['--version']).error;

/** The units with programs that are here, the worker's of GPU 1; gives their paths. */
async function units(t: TestContext): Promise<string[]> {
  const folder = await temporaryFolder(t);
  return Object.entries(UNITS).map(([source, name]) => {
    const text = readFileSync(path.join(FOLDER, source), 'utf8');
    const file = path.join(folder, name);
    writeFileSync(file, text.replace(/\/usr\/bin\/ardm-\w+/, process.execPath));
    return file;
  });
}

test('systemd finds nothing wrong with the units', async (t) => {
  if (!hasSystemd) return unchecked(t, 'systemd-analyze');
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...(await units(t))]);
  assert.equal(stderr.toString(), '');
  assert.equal(status, 0);
});

test('systemd counts what the units may do as little', async (t) => {
  if (!hasSystemd) return unchecked(t, 'systemd-analyze');
  for (const unit of await units(t)) {
    const args = ['security', '--offline=true', '--no-pager', '--threshold=25', unit];
    const { status, stdout } = spawnSync('systemd-analyze', args);
    assert.equal(status, 0, stdout.toString());
  }
});

/** The arguments of a unit's program, with the variables and the instance that it names. */
function argumentsOf(unit: string, words: Readonly<Record<string, string>>): string[] {
  const [, line] = /^ExecStart=\/usr\/bin\/ardm-\w+ (.*)$/m.exec(
    readFileSync(path.join(FOLDER, unit), 'utf8'),
  )!;
  return line!.split(' ').flatMap((word) => {
    const text = word.replace(/\$\{(\w+)\}|%i/g, (name) => words[name]!);
    return text.startsWith('$') ? words[text]!.split(' ') : [text];
  });
}

test('their programs take the arguments that the units give', () => {
  const coord = argumentsOf('ardm-coord.service', {
    '${ARDM_CONFIG}': '/etc/ardm/c.yaml',
    $ARDM_FLAGS: '--steps 9',
  });
  const options = coordinator.parseOptions(coord) as coordinator.Options;
  assert.deepEqual([options.config, options.keys], ['/etc/ardm/c.yaml', '/etc/ardm/keys']);
  assert.ok(options.sets.includes('training.steps=9'));
  const args = argumentsOf('ardm-worker@.service', { '%i': '3', $ARDM_FLAGS: '--engine onnxruntime' });
  const { gpu, keys } = worker.parseOptions(args) as worker.Options;
  assert.deepEqual([gpu, keys], [3, '/etc/ardm/worker.key']);
});
