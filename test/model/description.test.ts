import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { configSchema, type UnetConfig } from '../../shared/config/schema.js';
import { describeModel, modelDigest, type ModelData } from '../../shared/model/description.js';

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

const describe = (settings: object, data: ModelData) =>
  describeModel(configSchema.shape.model.parse(settings), data);

test('published models have the sizes of the specification', () => {
  const unet = { kind: 'unet' };
  const stages = describe({ kind: 'upscale', network: unet }, cifar10);
  assert.equal(stages.numParameters, 123_921_536 + 6912);
  assert.deepEqual([stages.numStages, stages.numSteps, stages.absorbing], [4, 4 * 3072, 0]);
  assert.deepEqual([stages.networkShape.maskChannels, stages.networkShape.numOutputs], [3 + 4, 3 * 256]);
  const direct = { upscale: { parametrization: 'direct' }, kind: 'upscale', network: unet };
  assert.equal(describe(direct, cifar10).networkShape.numOutputs, 3 * 4 * 4);

  const text8 = { shape: [1, 250, 1], numClasses: 28 } as const;
  const text = describe({ network: { kind: 'transformer' } }, text8);
  assert.deepEqual([text.numParameters, text.absorbing, text.numInputClasses], [85_062_940, 28, 29]);

  const sc09 = { shape: [1, 16_000, 1], numClasses: 65_536 } as const;
  const clips = describe({ output: 'logistic', network: { kind: 'diffwave' } }, sc09);
  assert.deepEqual([clips.numParameters, clips.absorbing], [33_959_130, 32_768]);
  for (const [base, numStages, numParameters] of [
    [2, 16, 33_953_440],
    [4, 8, 33_948_832],
    [16, 4, 33_954_752],
    [256, 2, 34_068_736],
  ]) {
    const upscale = { base, parametrization: 'direct' };
    const model = describe({ kind: 'upscale', upscale, network: { kind: 'diffwave' } }, sc09);
    assert.deepEqual([model.numStages, model.numParameters], [numStages, numParameters]);
  }
});

test('a context belongs to the shape, but is neither a variable nor a step', () => {
  const data = { shape: [1, 30, 1], numClasses: 28, numContext: 10 } as const;
  const { numVariables, numPositions, numSteps } = describe({ network: { kind: 'transformer' } }, data);
  assert.deepEqual([numVariables, numPositions, numSteps], [20, 20, 20]);
});

test('the channels of a pixel are one position with the RGB logistic output, and one mask channel', () => {
  const network = { kind: 'unet', channels: 8, blocks: 1, groups: 4 };
  const model = describe({ output: 'logistic-rgb', network }, cifar10);
  assert.deepEqual(
    [model.numVariables, model.numPositions, model.numSteps, model.variablesPerPosition],
    [3072, 1024, 1024, 3],
  );
  assert.deepEqual([model.networkShape.maskChannels, model.networkShape.numOutputs], [1, 300]);
});

test('a model that one network call evaluates has a single step', () => {
  const text8 = { shape: [1, 250, 1], numClasses: 28 } as const;
  for (const kind of ['arm', 'permuted']) {
    const { numSteps, numPositions, numInputClasses } = describe(
      { kind, network: { kind: 'transformer' } },
      text8,
    );
    assert.deepEqual([numSteps, numPositions, numInputClasses], [1, 250, 28]);
  }
});

test('augmented maps have the classes of all levels', () => {
  const unet = { kind: 'unet', channels: 8, blocks: 1, groups: 4 };
  const upscale = { base: 4, map: 'augment' };
  const model = describe({ kind: 'upscale', upscale, network: unet }, cifar10);
  assert.deepEqual([model.numInputClasses, model.absorbing], [341, 340]);
});

test('fewer than two classes, more than 16 bits hold, or broken ones are refused', () => {
  for (const numClasses of [1, 65_537, 2.5])
    assert.throws(() => describeModel(paper, { ...cifar10, numClasses }), { name: 'UsageError' });
});

test('the digest is the same for the same model, and another for other sizes, layouts or starts', () => {
  const digest = (network: Partial<UnetConfig>, data: typeof cifar10 | object = {}) =>
    modelDigest(
      describeModel(
        { ...paper, network: { ...(paper.network as UnetConfig), blocks: 1, ...network } },
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
