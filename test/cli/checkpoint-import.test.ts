import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { encode } from 'fast-png';
import { openCheckpoint } from '../../shared/checkpoint/open.js';
import { headerLength, LENGTH_BYTES, parseHeader } from '../../shared/checkpoint/safetensors.js';
import { selectEngine } from '../../shared/engine/select.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { describeModel } from '../../shared/model/description.js';
import { packageRoot } from '../../shared/package.js';
import { encodeFlax, int32, nested, NumpyArray } from '../checkpoint/flax-file.js';
import { noise } from '../data/archives.js';
import { temporaryFolder } from '../data/temporary.js';
import { readCase } from '../parity/cases.js';
import { Fixture, FIXTURES } from '../parity/fixture.js';

const parityCase = readCase(FIXTURES, 'unet-oa-softmax256');

/** The fixture's model, as of a run on 8 x 8 grey images. */
const CONFIG = `
name: imported
data: {set: folder, folder: images, testFraction: 0.5}
model: {network: {kind: unet, channels: 64, blocks: 1}}
training: {steps: 2000, batch: 2, slices: 1}
evaluation: {examples: 2}
samples: {count: 0}
`;

/** The fixture's parameters as Flax holds them, each byte as it lies in the fixture. */
function* parameters(): Iterable<[string, NumpyArray]> {
  for (const file of parityCase.sideCar.params_files!) {
    const bytes = readFileSync(path.join(FIXTURES, file));
    const begin = LENGTH_BYTES + headerLength(bytes.subarray(0, LENGTH_BYTES), bytes.length);
    for (const tensor of parseHeader(bytes.subarray(LENGTH_BYTES, begin), bytes.length - begin).tensors) {
      const data = bytes.subarray(begin + tensor.begin, begin + tensor.end);
      yield [tensor.name, new NumpyArray(tensor.shape, 'float32', data)];
    }
  }
}

/** The same shapes, all of one value. */
const constant = (value: number) =>
  nested(
    [...parameters()].map(([name, { shape, dtype, bytes }]) => {
      const values = new Float32Array(bytes.length / 4).fill(value);
      return [name, new NumpyArray(shape, dtype, Buffer.from(values.buffer))];
    }),
  );

/** A folder with images, a config and the original's checkpoint of a model. */
async function home(t: TestContext, trained: object = nested(parameters())): Promise<string> {
  const folder = await temporaryFolder(t);
  mkdirSync(path.join(folder, 'images'));
  for (let i = 0; i < 8; i++) {
    const image = encode({ width: 8, height: 8, channels: 1, depth: 8, data: noise(64, i) });
    writeFileSync(path.join(folder, 'images', `${i}.png`), image);
  }
  writeFileSync(path.join(folder, 'c.yaml'), CONFIG);
  const adam = { count: int32(1170), mu: constant(0.25), nu: constant(0.5) };
  const train_state = {
    ...{ ema_params: trained, step: int32(1170), params: constant(3) },
    opt_state: { 0: adam, 1: {} },
  };
  writeFileSync(path.join(folder, 'ckpt_4'), encodeFlax({ train_state, step: 4 }));
  return folder;
}

/** Runs the real program. */
function run(cwd: string, name: string, ...args: string[]) {
  const program = path.join(packageRoot, 'dist', name, 'bin.js');
  const options = { cwd, encoding: 'utf8', timeout: 120_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  return { status, stdout, stderr };
}
const ardm = (cwd: string, ...args: string[]) => run(cwd, 'cli', ...args);
const importing = (cwd: string, ...more: string[]) =>
  ardm(cwd, 'checkpoint', 'import', 'ckpt_4', '--config', 'c.yaml', ...more);

test("the original's checkpoint is imported, and evaluates as the original did", async (t) => {
  const folder = await home(t);
  const { status, stdout, stderr } = importing(folder);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /^step 1170 of ckpt_4 is now runs\/imported\/checkpoints\/step-00001170\n {4}parameters [0-9a-f]{64}\n$/,
  );

  const trained = await openCheckpoint(path.join(folder, 'runs', 'imported'));
  const { model } = trained.config;
  const description = describeModel(model, trained);
  const fixture = new Fixture(parityCase);
  const timeSteps = fixture.ints('in/t');
  const { engine } = await selectEngine({ cpu: true, threads: 1 });
  const evaluator = await Evaluator.create(engine, description, model, timeSteps.length);
  const bounds = await evaluator.run({
    parameters: await trained.loadEma(description.parameters),
    examples: Uint8Array.from(fixture.ints('in/x')),
    orders: fixture.ints('in/sigma'),
    timeSteps,
  });
  fixture.compare('out/elbo', bounds.elbo);
  fixture.compare('out/elbo_of_t', bounds.elboOfT);
  fixture.compare('out/nce', bounds.nce);
});

test('ardm-coord goes on from what was imported', async (t) => {
  const folder = await home(t);
  const { status, stdout } = importing(folder, '--run-dir', 'mine', '--json');
  const { path: at, step, notes } = JSON.parse(stdout);
  assert.deepEqual([status, at, step, notes], [0, 'mine/checkpoints/step-00001170', 1170, []]);
  const addresses = ['--listen', 'tcp://127.0.0.1:0', '--http', '127.0.0.1:0'];
  const flags = ['--config', 'c.yaml', '--run-dir', 'mine', '--workers', '1', '--steps', '1171', '--json'];
  const coordinator = run(folder, 'coordinator', ...flags, ...addresses);
  assert.equal(coordinator.status, 0, coordinator.stderr);
  const events = coordinator.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  assert.equal(events.find(({ event }) => event === 'resume').checkpoint, at);
  assert.ok(existsSync(path.join(folder, 'mine', 'checkpoints', 'step-00001171')));
});

test('a file that does not fit or is damaged leaves nothing behind', async (t) => {
  const folder = await home(t);
  const { status, stderr } = importing(folder, '--set', 'model.network.multipliers=[1,1]');
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^ardm: ckpt_4 does not fit the model of c\.yaml\. Its params:\n {2}lacks \d+ tensors \(/,
  );
  truncateSync(path.join(folder, 'ckpt_4'), 1_000_000);
  const truncated = importing(folder);
  assert.equal(truncated.status, 1);
  assert.match(
    truncated.stderr,
    /^ardm: ckpt_4 is no whole state dict of Flax: it is truncated: .*; it has 1000000\. Copy it again, or name another\n$/,
  );
  for (const [name, message] of [
    ['nowhere', "can't read nowhere: ENOENT: no such file or directory, stat 'nowhere'"],
    ['images', 'images is no regular file'],
  ])
    assert.deepEqual(ardm(folder, 'checkpoint', 'import', name!, '--config', 'c.yaml'), {
      status: 1,
      stdout: '',
      stderr: `ardm: ${message}\n`,
    });
  assert.equal(existsSync(path.join(folder, 'runs')), false);
});

test('a run that has checkpoints is left alone', async (t) => {
  const folder = await home(t);
  assert.equal(importing(folder).status, 0);
  const { status, stderr } = importing(folder);
  assert.equal(status, 2);
  assert.equal(stderr, 'ardm: runs/imported has checkpoints already: name another folder with --run-dir\n');
});
