import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { configSchema, type ModelConfig } from '../../shared/config/schema.js';
import { describeModel, modelDigest } from '../../shared/model/description.js';

const paper = configSchema.shape.model.parse({ network: { kind: 'unet' } });
const cifar10 = { shape: [32, 32, 3], numClasses: 256 } as const;

test("the paper's model has 123,921,536 parameters and 3072 variables", () => {
  const { numParameters, numVariables, absorbing, numInputClasses, networkShape } = describeModel(
    paper,
    cifar10,
  );
  assert.deepEqual([numParameters, numVariables], [123_921_536, 3072]);
  assert.deepEqual([absorbing, numInputClasses], [128, 256]);
  assert.deepEqual([networkShape.maskChannels, networkShape.numOutputs], [3, 768]);
});

test('the absorbing class of binary data is 1', () => {
  assert.equal(describeModel(paper, { shape: [28, 28, 1], numClasses: 2 }).absorbing, 1);
});

test('classes that are no bytes are refused', () => {
  for (const numClasses of [1, 257])
    assert.throws(() => describeModel(paper, { ...cifar10, numClasses }), { name: 'UsageError' });
});

test('the digest is the same for the same model, and another for other sizes, layouts or starts', () => {
  const digest = (network: Partial<ModelConfig['network']>, data: typeof cifar10 | object = {}) =>
    modelDigest(
      describeModel(
        { ...paper, network: { ...paper.network, blocks: 1, ...network } },
        { ...cifar10, ...data },
      ),
    );
  assert.match(digest({}), /^[0-9a-f]{64}$/);
  assert.equal(digest({}), digest({}));
  const all = [digest({}), digest({ blocks: 2 }), digest({ heads: 2 }), digest({}, { numClasses: 2 })];
  assert.equal(new Set(all).size, all.length);
});

test('describing a model loads no tensor library', () => {
  const module = new URL('../../shared/model/description.js', import.meta.url).href;
  const script = `await import(${JSON.stringify(module)}); const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(${JSON.stringify(module)}).cache).some((file) => file.includes('tensorflow')));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(printed.trim(), 'false');
});
