import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../data/temporary.js';
import { FIXTURES } from '../parity/fixture.js';
import { writeSamplingCase } from './sampling-case.js';

const SUITE = fileURLToPath(new URL('../parity/parity.test.js', import.meta.url));

/** The suite on a folder, in TAP: exit code and lines, without stacks. */
async function runSuite(folder: string): Promise<{ exitCode: number; tap: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, ARDM_FIXTURES: folder, ARDM_REQUIRE_ALL: '1' };
  delete env.NODE_TEST_CONTEXT;
  const args = ['--test-reporter=tap', SUITE];
  return new Promise((resolve) =>
    execFile(process.execPath, args, { env }, (error, tap) =>
      resolve({ exitCode: error ? Number(error.code) : 0, tap }),
    ),
  );
}

/** A folder with some of the project's own cases. */
async function folderOf(t: TestContext, ...names: string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of names)
    for (const ending of ['json', 'safetensors'])
      cpSync(path.join(FIXTURES, `${name}.${ending}`), path.join(folder, `${name}.${ending}`));
  return folder;
}

const writeJson = (folder: string, name: string, content: unknown) =>
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(content));

/** Multiplies the numbers of one tensor of a case's file. */
function scale(folder: string, name: string, tensor: string, factor: number): void {
  const file = path.join(folder, `${name}.safetensors`);
  const bytes = readFileSync(file);
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, begin)) as Record<string, { data_offsets: number[] }>;
  const [from, to] = header[tensor]!.data_offsets as [number, number];
  for (let at = begin + from; at < begin + to; at += 4)
    bytes.writeFloatLE(bytes.readFloatLE(at) * factor, at);
  writeFileSync(file, bytes);
}

test('a case is one test, and a number that differs fails it by its name', async (t) => {
  const folder = await folderOf(t, 'dist-softmax', 'misc');
  const good = await runSuite(folder);
  assert.match(good.tap, /^ok \d+ - dist-softmax$/m);
  assert.match(good.tap, /^ok \d+ - misc$/m);
  assert.match(good.tap, /^# tests 2$/m);
  assert.equal(good.exitCode, 0);

  scale(folder, 'dist-softmax', 'out64/log_prob', 1.0001);
  const { exitCode, tap } = await runSuite(folder);
  assert.equal(exitCode, 1);
  assert.match(tap, /^not ok \d+ - dist-softmax$/m);
  assert.match(tap, /dist-softmax out64\/log_prob: off by/);
});

test('what is not built is skipped by name, even where everything is required', async (t) => {
  const folder = await folderOf(t, 'misc');
  const files = ['misc.safetensors'];
  const config = { net: 'mixer', model: 'ao_arm', data_shape: [24, 1], num_classes: 28 };
  writeJson(folder, 'text', { kind: 'elbo', config, files, tensors: {} });
  writeJson(folder, 'audio', { kind: 'dist', config: { dist: 'normal' }, files, tensors: {} });
  const { exitCode, tap } = await runSuite(folder);
  assert.equal(exitCode, 0, tap);
  assert.match(tap, /^ok \d+ - text # SKIP not built yet: network mixer \(text\)$/m);
  assert.match(tap, /^ok \d+ - audio # SKIP not built yet: output normal \(audio\)$/m);
});

test('a recorded number that no check knows is told of by name', async (t) => {
  const folder = await folderOf(t, 'misc');
  const file = path.join(folder, 'misc.safetensors');
  const bytes = readFileSync(file);
  bytes.write('out/naiveX', bytes.indexOf('out/naive_5_3'));
  writeFileSync(file, bytes);
  assert.match(
    (await runSuite(folder)).tap,
    /- out\/naiveX5_3 # SKIP not built yet: out\/naiveX5_3 \(misc\)/,
  );
});

test('an unknown kind, a side-car without kind and one that is no JSON fail by name', async (t) => {
  const folder = await folderOf(t, 'misc');
  writeJson(folder, 'odd', { kind: 'elbow', config: {}, files: [], tensors: {} });
  writeJson(folder, 'kindless', { config: {}, files: [], tensors: {} });
  writeFileSync(path.join(folder, 'torn.json'), '{"kind": "mi');
  const { exitCode, tap } = await runSuite(folder);
  assert.equal(exitCode, 1);
  for (const name of ['odd', 'kindless', 'torn'])
    assert.match(tap, new RegExp(`^not ok \\d+ - ${name}$`, 'm'));
  assert.match(tap, /odd\.json is of the unknown kind elbow/);
  assert.match(tap, /^ok \d+ - misc$/m);
});

test('a folder without a case fails; JSON of another sort is no case', async (t) => {
  const folder = await temporaryFolder(t);
  writeJson(folder, 'learning-curves', { about: 'curves', curves: [] });
  for (const none of [folder, path.join(folder, 'absent')]) {
    const { exitCode, tap } = await runSuite(none);
    assert.equal(exitCode, 1);
    assert.match(tap, /there is no case in .*ardm-data/);
  }
});

test('a sampling chain is compared exactly, but for near ties', async (t) => {
  const folder = await temporaryFolder(t);
  await writeSamplingCase(folder, 'exact', 'as drawn');
  await writeSamplingCase(folder, 'tie', 'near tie');
  await writeSamplingCase(folder, 'other', 'another class');
  const { tap } = await runSuite(folder);
  assert.match(tap, /^ok \d+ - exact$/m);
  assert.match(tap, /^ok \d+ - tie$/m);
  assert.match(tap, /^not ok \d+ - other$/m);
  assert.match(tap, /other out\/chain: element/);
});
