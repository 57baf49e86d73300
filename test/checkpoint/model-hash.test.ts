import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { modelHash } from '../../shared/checkpoint/model-hash.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { temporaryFolder } from '../data/temporary.js';
import { config, parameters, randomState, stepPath, write } from './made-up.js';

const SHAPE = [28, 28, 1] as const;
const { ema } = randomState(1);
const hashOf = (changed: Config, numClasses = 256, values = ema) =>
  modelHash({ config: changed, shape: SHAPE, numClasses }, parameters, values);
const ours = hashOf(config);

test('a model’s hash is that of its config and of the moving average as its file holds it', async (t) => {
  const folder = await temporaryFolder(t);
  await write(folder, 1);
  const file = readFileSync(path.join(stepPath(folder, 1), 'ema.safetensors'));
  const about =
    '{"context":0,"medium":{"kind":"image"},"model":' +
    '{"ceWeight":0.001,"edges":"exact","kind":"oa","mixtures":30,"network":' +
    '{"attention":"middle","blocks":1,"channels":8,"dropout":0,"groups":4,"heads":1,"kind":"unet","multipliers":[1]},' +
    '"output":"softmax","timeSteps":"uniform","upscale":{"base":4,"map":"zero","parametrization":"data"}},' +
    '"numClasses":256,"shape":[28,28,1]}';
  const hash = createHash('sha256').update(about);
  assert.equal(ours, hash.update(file.subarray(8 + Number(file.readBigUInt64LE()))).digest('hex'));
});

test('it is of the model alone, not of how and where it came to be', () => {
  const elsewhere = configSchema.parse({
    ...config,
    ...{ name: 'other', seed: 8, data: { set: 'fashion-mnist', augment: 'flip' } },
    ...{ training: { steps: 5, batch: 2, slices: 1 }, listen: 'tcp://10.0.0.1:5670' },
  });
  assert.equal(hashOf(elsewhere), ours);
});

test('another setting, other data or one bit of a parameter make another hash', () => {
  const negated = ema.with(3, 0);
  assert.equal(Object.is(ema[3], -0), true);
  const text = (data: object) => configSchema.parse({ ...config, data: { set: 'text', file: 'a', ...data } });
  const model = (changed: object) =>
    configSchema.parse({ ...config, model: { ...config.model, ...changed } });
  const hashes = [
    ours,
    hashOf(config, 256, negated),
    hashOf(config, 255),
    hashOf(model({ kind: 'upscale' })),
    hashOf(model({ output: 'logistic' })),
    hashOf(text({})),
    hashOf(text({ vocabulary: 'text8' })),
    hashOf(text({ context: 3 })),
    hashOf(configSchema.parse({ ...config, data: { set: 'wav', folder: 'a' } })),
    hashOf(configSchema.parse({ ...config, data: { set: 'wav', folder: 'a', sampleRate: 8000 } })),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});
