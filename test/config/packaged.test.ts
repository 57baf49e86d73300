import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../shared/config/load.js';
import { configJsonSchema, configReference } from '../../shared/config/reference.js';
import { packageRoot } from '../../shared/package.js';

const folder = path.join(packageRoot, 'configs');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const read = (...parts: string[]) => readFileSync(path.join(packageRoot, ...parts), 'utf8');
const load = (name: string) => loadConfig(path.join(folder, name));

test('every packaged config loads, is named after its file, and says what to try next', async () => {
  assert.deepEqual(names, ['cifar10-small.yaml', 'cifar10.yaml', 'mnist.yaml', 'reference-mnist.yaml']);
  for (const name of names) {
    const { config, notes, next } = await load(name);
    assert.equal(`${config.name}.yaml`, name);
    assert.equal(notes.length, name === 'reference-mnist.yaml' ? 1 : 0, notes.join());
    const lines = read('configs', name).split('\n');
    assert.equal(lines[0], '# yaml-language-server: $schema=schema.json');
    assert.ok(next.length >= 3 && next.every((line) => /^(--|npm)/.test(line)), next.join('\n'));
  }
});

test('cifar10.yaml is the model of the paper', async () => {
  const { data, model, training } = (await load('cifar10.yaml')).config;
  assert.deepEqual(data, { set: 'cifar10', testFraction: 0.1, augment: 'none' });
  assert.deepEqual(model, {
    kind: 'oa',
    output: 'softmax',
    ceWeight: 0.001,
    timeSteps: 'uniform',
    network: {
      kind: 'unet',
      channels: 256,
      multipliers: [1],
      blocks: 32,
      attention: 'middle',
      heads: 1,
      groups: 32,
      dropout: 0,
    },
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

test("reference-mnist.yaml trains as the original's recorded curve did", async () => {
  const { data, model, training, evaluation } = (await load('reference-mnist.yaml')).config;
  assert.equal(data.set, 'mnist');
  const { channels, blocks, multipliers, attention, groups, dropout } = model.network;
  assert.deepEqual(
    [channels, blocks, multipliers, attention, groups, dropout],
    [32, 1, [1], 'middle', 32, 0],
  );
  const { steps, batch, learningRate, clip, ema, warmupSteps, weightDecay } = training;
  assert.deepEqual(
    [steps, batch, learningRate, clip, ema, warmupSteps, weightDecay],
    [500, 16, 1e-3, 100, 0.99, 0, 0],
  );
  assert.deepEqual([evaluation.everySteps, evaluation.examples, evaluation.passes], [100, 256, 1]);
});

test('the JSON schema and the reference page are those of the settings (else: node scripts/config-reference.mjs)', () => {
  assert.deepEqual(
    JSON.parse(read('configs', 'schema.json')),
    JSON.parse(JSON.stringify(configJsonSchema())),
  );
  assert.equal(read('docs', 'config.md'), configReference());
});
