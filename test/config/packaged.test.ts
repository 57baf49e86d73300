import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { activationBytes } from '../../shared/config/activations.js';
import { dataShape } from '../../shared/config/data-shape.js';
import { describeRun } from '../../shared/config/describe.js';
import { loadConfig } from '../../shared/config/load.js';
import { configJsonSchema, configReference } from '../../shared/config/reference.js';
import { describeModel } from '../../shared/model/description.js';
import { packageRoot } from '../../shared/package.js';

const folder = path.join(packageRoot, 'configs');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const read = (...parts: string[]) => readFileSync(path.join(packageRoot, ...parts), 'utf8');
const load = (name: string, sets: readonly string[] = []) => loadConfig(path.join(folder, name), sets);

/** What a person has to add. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'text.yaml': ['data.file=book.txt'],
  'audio.yaml': ['data.folder=clips'],
};

test('every packaged config loads, is named after its file, and says what to try next', async () => {
  for (const name of names) {
    const { config, notes, next } = await load(name, OWN[name]);
    assert.equal(`${config.name}.yaml`, name);
    assert.equal(notes.length, name === 'reference-mnist.yaml' ? 1 : 0, notes.join());
    const lines = read('configs', name).split('\n');
    assert.equal(lines[0], '# yaml-language-server: $schema=schema.json');
    assert.ok(next.length >= 3 && next.every((line) => /^(--|npm)/.test(line)), next.join('\n'));
  }
});

test('what a packaged config says to try next can be done', async () => {
  for (const name of names) {
    const { next } = await load(name, OWN[name]);
    for (const line of next) {
      const [, other] = /--config (\S+)/.exec(line) ?? [];
      if (other !== undefined) assert.ok(names.includes(other), `${name}: ${line}`);
      const sets = [...line.matchAll(/--set (\S+)/g)].map(([, set]) => set!);
      await assert.doesNotReject(load(name, [...(OWN[name] ?? []), ...sets]), `${name}: ${line}`);
    }
  }
});

test('the reference page names every packaged config', () => {
  const page = configReference();
  for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
});

test('a published config has the parameters of the published model, a baseline those of its network', async () => {
  const counts: [name: string, numParameters: number, ...sets: string[]][] = [
    ['cifar10.yaml', 123_921_536],
    ['cifar10.yaml', 141_060_736, 'model.network.attention=all'],
    ['cifar10-upscale4.yaml', 123_928_448],
    ['cifar10-upscale4.yaml', 141_067_648, 'model.network.attention=all'],
    ['cifar10-upscale4-augmented.yaml', 123_928_448],
    ['cifar10-upscale4-direct.yaml', 122_268_848],
    ['cifar10-upscale2.yaml', 123_935_360],
    ['cifar10-upscale16.yaml', 123_924_992],
    ['text8.yaml', 85_062_940],
    ['text8-arm.yaml', 85_062_172],
    ['text8-permuted.yaml', 85_062_172],
    ['enwik8.yaml', 85_414_913],
    ['enwik8-arm.yaml', 85_414_145],
    ['sc09.yaml', 33_959_130],
    ['sc09-upscale256.yaml', 34_068_736],
    ['sc09-upscale16.yaml', 33_954_752],
    ['sc09-upscale4.yaml', 33_948_832],
    ['sc09-upscale2.yaml', 33_953_440],
    ['sc09-wavenet.yaml', 6_863_738],
    ['sc09-wavenet.yaml', 23_199_386, 'model.network.channels=256'],
    ['reference-mnist.yaml', 238_128],
    ['reference-text8.yaml', 798_620],
  ];
  for (const [name, numParameters, ...sets] of counts) {
    const { model } = await describeRun(await load(name, sets));
    assert.equal(model.numParameters, numParameters, `${name} ${sets.join(' ')}`);
  }
});

test('a slice of a published config fits a device of 8 GB, and gives work to two workers everywhere', async () => {
  for (const name of names) {
    const { config } = await load(name, OWN[name]);
    assert.ok(config.training.slices >= Math.max(2, Number(config.workers.local)), name);
    const data = dataShape(config.data)!;
    const { numParameters, networkShape } = describeModel(config.model, data);
    const { batch, slices } = config.training;
    const activations = activationBytes(config.model.network, networkShape, batch / slices);
    // Parameters, moments, average, gradient and a copy of the parameters on the device.
    assert.ok(24 * numParameters + activations < 8e9, name);
  }
});

test('cifar10.yaml is the model of the paper', async () => {
  const { data, model, training } = (await load('cifar10.yaml')).config;
  assert.deepEqual([data.set, data.augment], ['cifar10', 'none']);
  const { kind, output, ceWeight, timeSteps, network } = model;
  assert.deepEqual([kind, output, ceWeight, timeSteps], ['oa', 'softmax', 0.001, 'uniform']);
  assert.deepEqual(network, {
    kind: 'unet',
    channels: 256,
    multipliers: [1],
    blocks: 32,
    attention: 'middle',
    heads: 1,
    groups: 32,
    dropout: 0,
  });
  assert.deepEqual(training, {
    steps: 3000 * 390,
    batch: 128,
    slices: 64,
    learningRate: 1e-4,
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    clip: 100,
    ema: 0.9999,
  });
});

test('text8.yaml is the model of the paper, and its baselines differ from it as told', async () => {
  const { model, training } = (await load('text8.yaml')).config;
  assert.deepEqual([model.kind, model.ceWeight], ['oa', 1e-4]);
  assert.deepEqual(model.network, {
    kind: 'transformer',
    layers: 12,
    width: 768,
    heads: 12,
    mlpWidth: 3072,
    dropout: 0,
    attentionDropout: 0,
  });
  assert.deepEqual(training, {
    steps: 3_000_000,
    batch: 512,
    slices: 64,
    learningRate: 5e-4,
    warmupSteps: 5000,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.001,
    clip: 0.25,
    ema: 0.995,
  });
  for (const name of ['text8-arm.yaml', 'enwik8-arm.yaml']) {
    const arm = (await load(name)).config;
    assert.deepEqual([arm.model.kind, arm.model.ceWeight], ['arm', 0]);
    assert.deepEqual(arm.model.network, { ...model.network, dropout: 0.1, attentionDropout: 0.1 });
    const own = { steps: 1_000_000, batch: 64, slices: 8, learningRate: 2e-4 };
    assert.deepEqual(arm.training, { ...training, ...own });
  }
  const permuted = (await load('text8-permuted.yaml')).config;
  assert.deepEqual([permuted.model.kind, permuted.model.ceWeight], ['permuted', 0]);
  assert.deepEqual([permuted.model.network, permuted.training], [model.network, training]);
  const enwik8 = (await load('enwik8.yaml')).config;
  assert.deepEqual([enwik8.model, enwik8.training], [model, training]);
});

test('the audio configs are the models of the paper: without stages, in 2 to 16 of them, and causal', async () => {
  const oa = (await load('sc09.yaml')).config;
  assert.deepEqual(
    [oa.seed, oa.model.kind, oa.model.output, oa.model.mixtures, oa.model.edges, oa.model.ceWeight],
    [42, 'oa', 'logistic', 30, 'exact', 1e-4],
  );
  assert.deepEqual(oa.model.network, { kind: 'diffwave', channels: 256, blocks: 36, dilationCycle: 12 });
  assert.deepEqual(oa.training, {
    steps: 1_000_000,
    batch: 256,
    slices: 256,
    learningRate: 1e-4,
    warmupSteps: 15_000,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    clip: 1000,
    ema: 0.995,
  });
  for (const base of [256, 16, 4, 2]) {
    const { model, training } = (await load(`sc09-upscale${base}.yaml`)).config;
    assert.deepEqual(
      [model.kind, model.upscale],
      ['upscale', { base, map: 'zero', parametrization: 'direct' }],
    );
    assert.deepEqual([model.network, training], [oa.model.network, oa.training]);
  }
  const { model, training } = (await load('sc09-wavenet.yaml')).config;
  assert.deepEqual([model.kind, model.output, model.ceWeight], ['arm', 'logistic', 0]);
  assert.deepEqual(model.network, { ...oa.model.network, channels: 128 });
  assert.deepEqual(training, { ...oa.training, batch: 64, slices: 32, weightDecay: 0.01 });
});

test('the image configs with stages differ from cifar10.yaml in these, and in the augmentation', async () => {
  const oa = (await load('cifar10.yaml')).config;
  const variants: [name: string, base: number, parametrization: string, augment: string][] = [
    ['upscale2', 2, 'data', 'flip-rotate'],
    ['upscale4', 4, 'data', 'none'],
    ['upscale4-augmented', 4, 'data', 'flip-rotate'],
    ['upscale4-direct', 4, 'direct', 'flip-rotate'],
    ['upscale16', 16, 'data', 'flip-rotate'],
  ];
  for (const [name, base, parametrization, augment] of variants) {
    const { data, model, training } = (await load(`cifar10-${name}.yaml`)).config;
    assert.deepEqual([model.kind, model.upscale], ['upscale', { base, map: 'zero', parametrization }]);
    assert.deepEqual([model.network, training, data.augment], [oa.model.network, oa.training, augment]);
  }
});

test("reference-mnist.yaml trains as the original's recorded curve did", async () => {
  const { data, model, training, evaluation } = (await load('reference-mnist.yaml')).config;
  assert.equal(data.set, 'mnist');
  assert.deepEqual(model.network, {
    kind: 'unet',
    channels: 32,
    multipliers: [1],
    blocks: 1,
    attention: 'middle',
    heads: 1,
    groups: 32,
    dropout: 0,
  });
  const { steps, batch, learningRate, clip, ema, warmupSteps, weightDecay } = training;
  assert.deepEqual(
    [steps, batch, learningRate, clip, ema, warmupSteps, weightDecay],
    [500, 16, 1e-3, 100, 0.99, 0, 0],
  );
  assert.deepEqual([evaluation.everySteps, evaluation.examples, evaluation.passes], [100, 256, 1]);
});

test("reference-text8.yaml trains as the original's recorded curve did", async () => {
  const { data, model, training, evaluation } = (await load('reference-text8.yaml')).config;
  assert.deepEqual([data.set, data.length, model.kind, model.ceWeight], ['text8', 64, 'oa', 1e-4]);
  const network = { layers: 4, width: 128, heads: 4, mlpWidth: 512, dropout: 0, attentionDropout: 0 };
  assert.deepEqual(model.network, { kind: 'transformer', ...network });
  const { steps, batch, learningRate, warmupSteps, beta1, beta2, weightDecay, clip, ema } = training;
  assert.deepEqual(
    [steps, batch, learningRate, warmupSteps, beta1, beta2, weightDecay, clip, ema],
    [1500, 32, 1e-3, 100, 0.9, 0.99, 0.001, 0.25, 0.99],
  );
  assert.deepEqual([evaluation.everySteps, evaluation.examples, evaluation.passes], [250, 1024, 1]);
});

test('the JSON schema and the reference page are those of the settings (else: node scripts/config-reference.mjs)', () => {
  assert.deepEqual(
    JSON.parse(read('configs', 'schema.json')),
    JSON.parse(JSON.stringify(configJsonSchema())),
  );
  assert.equal(read('docs', 'config.md'), configReference());
});
