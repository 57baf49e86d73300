import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { createHash } from 'node:crypto';
import { loadCheckpoint } from '../../shared/checkpoint/load.js';
import { FILES } from '../../shared/checkpoint/state.js';
import { configHash } from '../../shared/config/hash.js';
import { UsageError, UserError } from '../../shared/errors.js';
import { countParameters } from '../../shared/networks/network.js';
import { temporaryFolder } from '../data/temporary.js';
import { tinyModel } from '../model/tiny-model.js';
import {
  NUM_STEPS,
  bitsOf,
  config,
  emptyState,
  filesOf,
  flip,
  load,
  parameters,
  randomState,
  stepName,
  stepPath,
  write,
} from './made-up.js';

/** A folder of checkpoints, oldest first. */
async function folderOf(t: TestContext, ...steps: number[]): Promise<string> {
  const folder = path.join(await temporaryFolder(t), 'checkpoints');
  for (const step of steps) await write(folder, step);
  return folder;
}

const isUserError = (text: string | RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  if (typeof text === 'string') assert.ok(error.message.includes(text), error.message);
  else assert.match(error.message, text);
  return true;
};

test('all arrays come back to the bit', async (t) => {
  const folder = await folderOf(t, 3);
  const { loaded, state } = await load(folder);
  assert.deepEqual(loaded, { step: 3, chain: 'chain-3', path: stepPath(folder, 3), skipped: [] });
  assert.deepEqual(bitsOf(state), bitsOf(randomState(3)));
});

test('the parameters of a U-Net come back to the bit', async (t) => {
  const { description } = tinyModel();
  const folder = await folderOf(t);
  const specs = description.parameters;
  const written = randomState(5, specs);
  await write(folder, 5, { parameters: specs, state: written });
  const read = randomState(6, specs);
  await loadCheckpoint(folder, { parameters: specs, config, configHash: configHash(config), state: read });
  assert.equal(countParameters(specs), written.ema.length);
  assert.deepEqual(bitsOf(read), bitsOf(written));
});

test('a run, its checkpoints, or one of them can be named', async (t) => {
  const folder = await folderOf(t, 2, 10);
  const copy = path.join(path.dirname(folder), 'best');
  cpSync(stepPath(folder, 2), copy, { recursive: true });
  for (const [at, step] of [
    [path.dirname(folder), 10],
    [folder, 10],
    [path.relative(process.cwd(), folder), 10],
    [stepPath(folder, 10), 10],
    [`${stepPath(folder, 2)}/`, 2],
    [copy, 2],
  ] as const) {
    assert.equal((await load(at)).loaded!.step, step, at);
  }
});

test('where there is no checkpoint, nothing is loaded', async (t) => {
  const folder = await folderOf(t);
  const nothing = { loaded: undefined, state: emptyState() };
  assert.deepEqual(await load(folder), nothing);
  assert.deepEqual(await load(stepPath(folder, 1)), nothing);
  mkdirSync(path.join(folder, '.writing-host-1-1'), { recursive: true });
  mkdirSync(path.join(folder, 'step-1'));
  writeFileSync(stepPath(folder, 1), 'a file');
  assert.deepEqual(await load(folder), nothing);
  await assert.rejects(
    load(import.meta.filename),
    isUserError(`${import.meta.filename} is a file, and no run`),
  );
});

test('a checkpoint whose writer was killed before it was published is not seen', async (t) => {
  const folder = await folderOf(t, 1, 2);
  renameSync(stepPath(folder, 2), path.join(folder, '.writing-host-1-1'));
  const { loaded } = await load(folder);
  assert.deepEqual([loaded!.step, loaded!.skipped], [1, []]);
});

/** Damages the newest of two checkpoints in many ways; each time the older one is loaded, and the reason told. */
async function walksBack(t: TestContext, damages: (file: string) => Iterable<[() => void, RegExp]>) {
  const folder = await folderOf(t, 1, 2);
  const newest = stepPath(folder, 2);
  let numDamages = 0;
  for (const name of filesOf(newest)) {
    const file = path.join(newest, name);
    const whole = readFileSync(file);
    for (const [damage, reason] of damages(file)) {
      damage();
      const { loaded, state } = await load(folder);
      assert.equal(loaded!.step, 1);
      assert.deepEqual(bitsOf(state), bitsOf(randomState(1)));
      assert.equal(loaded!.skipped.length, 1);
      assert.ok(loaded!.skipped[0]!.startsWith(`${newest}: ${name}`), loaded!.skipped[0]);
      assert.match(loaded!.skipped[0]!, reason);
      await assert.rejects(load(newest), isUserError(reason));
      writeFileSync(file, whole);
      numDamages++;
    }
  }
  assert.equal((await load(folder)).loaded!.step, 2);
  return numDamages;
}

test('a truncated or longer file: the older checkpoint is taken, and told why', async (t) => {
  const numDamages = await walksBack(t, function* (file) {
    const { length } = readFileSync(file);
    for (let left = 0; left < length; left += left < 16 ? 1 : 67)
      yield [() => truncateSync(file, left), / is truncated/];
    yield [() => truncateSync(file, length - 1), / is truncated/];
    yield [() => truncateSync(file, length + 1), / is (too long|truncated or altered)/];
    yield [() => rmSync(file), / is missing$| is missing\. /];
  });
  assert.ok(numDamages > 100, `${numDamages}`);
});

test('a flipped bit anywhere: the older checkpoint is taken, and told why', async (t) => {
  const numDamages = await walksBack(t, function* (file) {
    const { length } = readFileSync(file);
    for (const at of [0, 7, 8, length - 1]) yield [() => flip(file, at), / altered/];
    for (let at = 16; at < length; at += 61) yield [() => flip(file, at), / altered/];
  });
  assert.ok(numDamages > 80, `${numDamages}`);
});

test('where none is good, all are told and nothing is loaded', async (t) => {
  const folder = await folderOf(t, 1, 2);
  flip(path.join(stepPath(folder, 1), FILES.ema), 500);
  rmSync(path.join(stepPath(folder, 2), FILES.firstMoment));
  const state = emptyState();
  await assert.rejects(
    loadCheckpoint(folder, { parameters, config, configHash: configHash(config), state }),
    isUserError(
      new RegExp(
        `has no good checkpoint:\n {2}.*${stepName(2)}: first-moment.safetensors is missing` +
          `\n {2}.*${stepName(1)}: ema.safetensors is altered: .*\n.*--resume never`,
      ),
    ),
  );
  assert.deepEqual(bitsOf(state), bitsOf(emptyState()));
});

test('files of another checkpoint in its place are damage', async (t) => {
  const folder = await folderOf(t, 1, 2);
  cpSync(path.join(stepPath(folder, 1), FILES.parameters), path.join(stepPath(folder, 2), FILES.parameters));
  const { loaded } = await load(folder);
  assert.equal(loaded!.step, 1);
  assert.match(loaded!.skipped.join(), /step-00000002: parameters\.safetensors is altered/);
});

test('another config is refused, with the settings that differ, and not walked back from', async (t) => {
  const folder = await folderOf(t, 1);
  const { training, model } = config;
  const other = {
    ...config,
    training: { ...training, batch: 32, steps: 5 },
    model: { ...model, network: { ...model.network, attention: [14] } },
  };
  await write(folder, 2, { config: other, configHash: configHash(other) });
  await assert.rejects(load(folder), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(
      error.message,
      [
        `${stepPath(folder, 2)} belongs to another config:`,
        '  model.network.attention: "middle" now, [14] in the checkpoint',
        '  training.batch: 16 now, 32 in the checkpoint',
        'Give this run a folder of its own with --run-dir, or start anew with --resume never',
      ].join('\n'),
    );
    return true;
  });
  await assert.rejects(load(stepPath(folder, 2)), UsageError);
});

test('settings that only watch, serve or prolong may change', async (t) => {
  const folder = await folderOf(t, 1);
  const { training, samples } = config;
  const { loaded } = await load(folder, {
    ...config,
    name: 'renamed',
    training: { ...training, steps: 9 },
    samples: { ...samples, count: 1 },
  });
  assert.equal(loaded!.step, 1);
});

test('tensors of another model are told by name', async (t) => {
  const folder = await folderOf(t, 1);
  const [kernel, bias, ...rest] = parameters;
  const loadInto = (specs: typeof parameters) =>
    loadCheckpoint(folder, {
      parameters: specs,
      config,
      configHash: configHash(config),
      state: randomState(1, specs),
    });
  const { path: other } = await write(path.join(folder, 'other'), 1, {
    state: { ...randomState(1), components: new Float64Array(NUM_STEPS + 1) },
  });
  await assert.rejects(
    load(other),
    isUserError(/components\.safetensors has tensor components as F64 \[6\], the model as F64 \[5\]/),
  );
  for (const [specs, reason] of [
    [
      [kernel!, { ...bias!, originalShape: [2, 2] }, ...rest],
      /tensor block\/conv1\/bias as F32 \[4\], the model as F32 \[2, 2\]/,
    ],
    [[kernel!, { ...bias!, name: 'block/bias' }, ...rest], /lacks the model's tensor block\/bias/],
    [[kernel!, ...rest], /has a tensor "block\/conv1\/bias" that the model lacks/],
  ] as const) {
    await assert.rejects(loadInto(specs), isUserError(reason));
  }
});

/** Rewrites a manifest with a good checksum. */
function forge(checkpoint: string, change: (text: string) => string): void {
  const file = path.join(checkpoint, 'manifest.json');
  const object = change(readFileSync(file, 'utf8').replace(/,\n {2}"checksum".*\n\}\n$/s, '\n}'));
  const checksum = createHash('sha256').update(object).digest('hex');
  writeFileSync(file, `${object.slice(0, -2)},\n  "checksum": "${checksum}"\n}\n`);
}

test('a checkpoint of another format is refused with the version to use, not walked back from', async (t) => {
  for (const format of [1, 3]) {
    const folder = await folderOf(t, 1, 2);
    forge(stepPath(folder, 2), (text) =>
      text.replace('"format": 2', `"format": ${format}`).replace(/"version": ".*"/, '"version": "9.0.0"'),
    );
    if (format === 1) rmSync(path.join(stepPath(folder, 2), FILES.components));
    await assert.rejects(
      load(folder),
      isUserError(
        new RegExp(
          `step-00000002 is a checkpoint of format ${format}, which ardm 9\\.0\\.0 wrote; .*, which reads format 2\\. Use the`,
        ),
      ),
    );
  }
});

test('a manifest that is not one is damage, however it got its checksum', async (t) => {
  const folder = await folderOf(t, 1, 2);
  for (const [change, reason] of [
    [(text) => text.replace('"step": 2', '"step": -2'), /manifest\.json: step: /],
    [(text) => text.replace(FILES.ema, '../ema'), /manifest\.json: files\.ema\.safetensors: /],
    [(text) => text.replace('"step": 2', '"step": "2'), /manifest\.json: .*JSON/],
    [() => 'null', /manifest\.json/],
  ] as [(text: string) => string, RegExp][]) {
    const file = path.join(stepPath(folder, 2), 'manifest.json');
    const whole = readFileSync(file);
    forge(stepPath(folder, 2), change);
    const { loaded } = await load(folder);
    assert.equal(loaded!.step, 1);
    assert.match(loaded!.skipped.join(), reason);
    writeFileSync(file, whole);
  }
  writeFileSync(path.join(stepPath(folder, 2), 'manifest.json'), Buffer.alloc(2 ** 20 + 1));
  assert.match((await load(folder)).loaded!.skipped.join(), /manifest\.json is longer than 1048576 bytes/);
});

test('a file with a good checksum that breaks a rule of its format is damage', async (t) => {
  const folder = await folderOf(t, 1, 2);
  const file = path.join(stepPath(folder, 2), FILES.ema);
  const before = createHash('sha256').update(readFileSync(file)).digest('hex');
  const position = readFileSync(file).indexOf('[0,') + 1;
  const bytes = readFileSync(file);
  bytes[position] = '4'.charCodeAt(0);
  writeFileSync(file, bytes);
  const after = createHash('sha256').update(bytes).digest('hex');
  forge(stepPath(folder, 2), (text) => text.replace(before, after));
  const { loaded } = await load(folder);
  assert.equal(loaded!.step, 1);
  assert.match(
    loaded!.skipped.join(),
    /ema\.safetensors: tensor "block\/conv1\/kernel", F32 .* takes 288 bytes/,
  );
});

test('a user’s own files that have changed since are refused; those without a hash are taken for the same', async (t) => {
  const folder = await folderOf(t, 1);
  const [before, now] = ['0'.repeat(64), '1'.repeat(64)];
  const hash = configHash(config);
  const state = emptyState();
  const own = { ...config, data: { ...config.data, file: '/books/book.txt' } };
  const loadWith = (dataHash?: string) =>
    loadCheckpoint(folder, {
      ...{ parameters, config: own, configHash: hash, state },
      ...(dataHash && { dataHash }),
    });
  assert.equal((await loadWith(now))!.step, 1);
  await write(folder, 2, { dataHash: before });
  await assert.rejects(loadWith(now), (error) => {
    assert.ok(error instanceof UsageError);
    return isUserError(
      `/books/book.txt has changed since ${stepPath(folder, 2)} was trained on it. Bring back`,
    )(error);
  });
  assert.deepEqual(bitsOf(state), bitsOf(randomState(1)), 'nothing of it was read');
  assert.equal((await loadWith(before))!.step, 2);
  assert.equal((await loadWith())!.step, 2);
});

test('a residual is written, verified and read back; a checkpoint without one leaves it as it is', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'checkpoints');
  const written = randomState(99).parameters;
  const { path: checkpoint, bytes } = await write(folder, 3, { residual: written });
  const { bytes: bytesWithout } = await write(path.join(folder, 'without'), 3);
  assert.ok(bytes - bytesWithout > written.byteLength);
  const read = async (at: string) => {
    const residual = new Float32Array(written.length).fill(7);
    await loadCheckpoint(at, {
      ...{ parameters, config, configHash: configHash(config) },
      state: emptyState(),
      residual,
    });
    return Buffer.from(residual.buffer);
  };
  assert.deepEqual(await read(checkpoint), Buffer.from(written.slice().buffer));
  assert.deepEqual(
    await read(path.join(folder, 'without')),
    Buffer.from(new Float32Array(written.length).fill(7).buffer),
  );
  flip(path.join(checkpoint, 'residual.safetensors'), 200);
  await assert.rejects(read(checkpoint), /residual\.safetensors/);
});
