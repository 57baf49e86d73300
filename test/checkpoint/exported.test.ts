import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { encodeExported, type ExportedModel, type LoadedModel } from '../../shared/checkpoint/exported.js';
import { loadCheckpoint } from '../../shared/checkpoint/load.js';
import { modelHash } from '../../shared/checkpoint/model-hash.js';
import { openCheckpoint, type TrainedModel } from '../../shared/checkpoint/open.js';
import { encodeHeader, LENGTH_BYTES, parseHeader } from '../../shared/checkpoint/safetensors.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { UserError } from '../../shared/errors.js';
import { tinyRun } from '../cli/tiny-checkpoint.js';
import { temporaryFolder } from '../data/temporary.js';

const DATA_HASH = 'd'.repeat(64);

interface Exported {
  readonly file: string;
  readonly model: LoadedModel & TrainedModel;
  /** Writes the model again, with other facts. */
  readonly write: (changed: Partial<LoadedModel>) => void;
}

async function exported(t: TestContext, kind: Parameters<typeof tinyRun>[1] = 'text'): Promise<Exported> {
  const home = await temporaryFolder(t);
  const { folder, description } = await tinyRun(home, kind, { dataHash: DATA_HASH });
  const trained = await openCheckpoint(folder);
  const { parameters } = description;
  const ema = await trained.loadEma(parameters);
  const hash = modelHash(trained, parameters, ema);
  const components = await trained.loadComponents();
  const model = { ...trained, modelHash: hash, parameters, ema, components };
  const file = path.join(home, 'model.safetensors');
  const write = (changed: Partial<LoadedModel>) => {
    writeFileSync(file, '');
    for (const piece of encodeExported({ ...model, ...changed })) writeFileSync(file, piece, { flag: 'a' });
  };
  write({});
  return { file, model, write };
}

const refused = (file: string, reason: RegExp) => (error: unknown) =>
  error instanceof UserError && error.message.startsWith(file) && reason.test(error.message);

for (const kind of ['image', 'upscale', 'text', 'arm', 'permuted', 'audio'] as const)
  test(`a model of kind ${kind} comes back from its file to the bit`, async (t) => {
    const { file, model } = await exported(t, kind);
    const { loadEma, loadComponents, ...facts } = await openCheckpoint(file);
    const { step, sha256, shape, numClasses, modelHash: hash, config } = model;
    const { data, name, seed, model: network, training, evaluation, samples } = config;
    const released = { name, seed, model: network, training, evaluation, samples };
    const names = { ...data, folder: data.folder && 'images', file: data.file && 'words.txt' };
    if (kind === 'audio') names.folder = 'clips';
    assert.deepEqual(facts, {
      ...{ path: file, step, sha256, shape, numClasses, dataHash: DATA_HASH, skipped: [], modelHash: hash },
      config: configSchema.parse({ ...released, data: JSON.parse(JSON.stringify(names)) }),
    });
    assert.deepEqual(await loadEma(model.parameters), model.ema);
    assert.deepEqual(await loadComponents(), model.components);
  });

test('what is of a run alone and may be private is left out', async (t) => {
  const { file, model, write } = await exported(t);
  write({ config: { ...model.config, listen: 'tcp://secret:1', http: 'secret:2' } });
  const text = readFileSync(file, 'latin1');
  assert.ok(text.includes('words.txt'));
  assert.ok(!text.includes('secret') && !text.includes(path.dirname(file)));
});

test('a flipped bit anywhere, a missing or an added byte is refused', async (t) => {
  const { file } = await exported(t);
  const bytes = readFileSync(file);
  const dataBegin = LENGTH_BYTES + Number(bytes.readBigUInt64LE());
  const isRefused = async (changed: Uint8Array, what: string) => {
    writeFileSync(file, changed);
    await assert.rejects(
      openCheckpoint(file),
      refused(file, /Copy it anew|use that version|is no model/),
      what,
    );
  };
  for (let at = 0; at < bytes.length; at += at < dataBegin ? 7 : 211) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << (at % 8);
    await isRefused(changed, `bit ${at % 8} of byte ${at}`);
  }
  for (const length of [0, 1, 7, 8, 100, dataBegin - 1, dataBegin, bytes.length - 8, bytes.length - 1])
    await isRefused(bytes.subarray(0, length), `${length} bytes`);
  await isRefused(Buffer.concat([bytes, Buffer.of(0)]), 'a byte more');
});

test('a file that contradicts itself is refused, though its checksum is right', async (t) => {
  const { file, model, write } = await exported(t);
  const { config, parameters } = model;
  const other = (changed: object): Config =>
    configSchema.parse({ ...config, model: { ...config.model, ...changed } });
  const network = { kind: 'transformer', layers: 1, width: 12, heads: 2, mlpWidth: 16 };
  const wrong: [changed: Partial<LoadedModel>, reason: RegExp][] = [
    [{ config: other({ network }) }, /has tensor .* as F32 \[.*\], the model as F32 \[/],
    [{ config: other({ network: { ...network, heads: 5 } }) }, /config: .*heads/],
    [{ shape: [1, 13, 1] }, /has tensor components as F64 \[12\], the model as F64 \[13\]/],
    [{ shape: [1, 1_000_000_000, 1] }, /the model as F64 \[1000000000\]/],
    [{ numClasses: 1 }, /config: Variables of 1 classes cannot be modelled/],
    [{ numClasses: 29 }, /has tensor/],
    [{ components: new Float64Array(11) }, /has tensor components as F64 \[11\]/],
    [{ parameters: parameters.slice(0, -1) }, /lacks the model's tensor/],
    [{ step: -1 }, /its step: .* use that version/],
  ];
  for (const [changed, reason] of wrong) {
    write(changed);
    await assert.rejects(openCheckpoint(file), refused(file, reason));
  }
});

test('parameters that are not those of the model hash are refused when they are loaded', async (t) => {
  const { file, model, write } = await exported(t);
  write({ modelHash: 'a'.repeat(64) });
  const { modelHash: hash, loadEma } = (await openCheckpoint(file)) as ExportedModel;
  assert.equal(hash, 'a'.repeat(64));
  await assert.rejects(
    loadEma(model.parameters),
    refused(file, new RegExp(`holds the model ${model.modelHash}, and says that it is a{64}`)),
  );
});

test('what is no exported model, or one of another version, is told', async (t) => {
  const { file, model } = await exported(t);
  const at = (name: string, bytes: Uint8Array) => {
    const other = path.join(path.dirname(file), name);
    writeFileSync(other, bytes);
    return other;
  };
  const bytes = readFileSync(file);
  const dataBegin = LENGTH_BYTES + Number(bytes.readBigUInt64LE());
  const data = bytes.subarray(dataBegin);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataBegin), data.length);
  const { tensors } = header;
  const metadata = new Map(header.metadata);
  metadata.delete('checksum');
  const strings = Object.fromEntries(metadata);
  const newer = { ...strings, ardm_format: '2', ardm_version: '9.0.0' };
  const sealed = createHash('sha256').update(encodeHeader(tensors, newer)).update(data).digest('hex');
  const ema = readFileSync(path.join(model.path, 'ema.safetensors'));
  const told: [file: string, reason: RegExp][] = [
    [at('samples.png', bytes), /is a file and no exported model, whose name ends in \.safetensors/],
    [at('ema.safetensors', ema), /ema\.safetensors is no model that ardm export wrote/],
    [at('x.safetensors', Buffer.from('\x89PNG\r\n\x1a\n and so on')), /its header claims \d+ bytes/],
    [
      at('v2.safetensors', Buffer.concat([encodeHeader(tensors, { ...newer, checksum: sealed }), data])),
      /its format: is "2", not "1"\. ardm "9\.0\.0" wrote it, and this is .*: use that version/,
    ],
    [at('bare.safetensors', Buffer.concat([encodeHeader(tensors, strings), data])), /has no checksum/],
  ];
  for (const [other, reason] of told) await assert.rejects(openCheckpoint(other), refused(other, reason));
});

test('a run does not go on from an exported model', async (t) => {
  const { file, model } = await exported(t);
  const { config, parameters, ema, components } = model;
  const state = { parameters: ema, firstMoment: ema, secondMoment: ema, ema, components };
  await assert.rejects(
    loadCheckpoint(file, { parameters, config, configHash: '', state }),
    refused(file, /is a file, and no run: .* nothing to train on with/),
  );
});
