import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { encode } from 'fast-png';
import { describeRun, formatDescription } from '../../shared/config/describe.js';
import { loadConfig } from '../../shared/config/load.js';
import { configSchema } from '../../shared/config/schema.js';
import { parseYaml } from '../../shared/config/yaml.js';
import { UserError } from '../../shared/errors.js';
import { countGpus } from '../../shared/launch/gpus.js';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

const packaged = (name: string) => path.join(packageRoot, 'configs', name);
const GB = 1e9;

test("the paper's CIFAR-10 model has 123,921,536 parameters, told without having its data", async (t) => {
  const before = process.env.ARDM_CACHE;
  process.env.ARDM_CACHE = await temporaryFolder(t);
  t.after(() => (before === undefined ? delete process.env.ARDM_CACHE : (process.env.ARDM_CACHE = before)));
  const description = await describeRun(await loadConfig(packaged('cifar10.yaml')));
  const { model, data, step, memory, checkpointBytes } = description;
  assert.deepEqual([model.numParameters, model.numVariables, model.numClasses], [123_921_536, 3072, 256]);
  assert.deepEqual([data.stepsPerEpoch, data.epochs, data.examples], [390, 3000, 149_760_000]);
  assert.deepEqual(step, { gradientsUp: 495_686_144, averageDown: 495_686_144, examplesDown: 128 * 3072 });
  assert.equal(checkpointBytes, 16 * 123_921_536);
  assert.equal(memory.coordinator.replica, 20 * 123_921_536);
  assert.equal(memory.coordinator.data, 60_000 * 3072);
  assert.equal(memory.worker.gradientSums, (1 + 6) * 495_686_144);
  // Measured: 2.6 GB on one CPU thread.
  assert.ok(
    memory.worker.activations > 1.8 * GB && memory.worker.activations < 3.2 * GB,
    `${memory.worker.activations}`,
  );

  const text = formatDescription(description);
  assert.match(text, /^# model +123,921,536 parameters in [\d,]+ tensors; 3,072 variables of 256 classes$/m);
  assert.match(
    text,
    /^# traffic +a step: 495\.7 MB from each worker, 495\.7 MB to each, 393\.2 kB of examples/m,
  );
  assert.match(text, /^# step +128 examples in 64 slices of 2$/m);
});

test('the description is itself a config, of the same run', async () => {
  const loaded = await loadConfig(packaged('mnist.yaml'), ['training.steps=7']);
  const text = formatDescription(await describeRun(loaded));
  assert.deepEqual(configSchema.parse(parseYaml(text, 'described').value), loaded.config);
  assert.ok(text.includes(loaded.hash));
});

test('figures are for as many workers as the config asks for', async () => {
  const gradientSums = async (...sets: string[]) => {
    const { memory, model } = await describeRun(
      await loadConfig(packaged('mnist.yaml'), ['training.batch=32', 'training.slices=4', ...sets]),
    );
    return [memory.coordinator.gradientSums, memory.worker.gradientSums].map(
      (bytes) => bytes / 4 / model.numParameters,
    );
  };
  assert.deepEqual(await gradientSums('workers.local=1'), [2, 3]);
  assert.deepEqual(await gradientSums('workers.local=4'), [5, 1]);
  assert.deepEqual(
    await gradientSums('workers.local=auto'),
    await gradientSums(`workers.local=${countGpus() || 1}`),
  );
  assert.deepEqual(await gradientSums('workers.local=0', 'workers.minimum=2'), [3, 2]);
});

test('traffic, memory and checkpoints are those of the codec', async () => {
  const described = async (...sets: string[]) => describeRun(await loadConfig(packaged('mnist.yaml'), sets));
  const exact = await described();
  const { numParameters } = exact.model;
  const bf16 = await described('exchange.codec.kind=bf16');
  assert.deepEqual([bf16.step.gradientsUp, bf16.step.averageDown], [2 * numParameters, 2 * numParameters]);
  assert.equal(bf16.checkpointBytes, exact.checkpointBytes);
  const topK = await described('exchange.codec={ kind: top-k, density: 0.01 }');
  assert.ok(topK.step.gradientsUp < 0.07 * numParameters);
  assert.equal(topK.checkpointBytes - exact.checkpointBytes, 4 * numParameters);
  const more = topK.memory.worker.gradientSums - exact.memory.worker.gradientSums;
  assert.equal(more, 8 * numParameters);
});

test('a folder of images is opened for its size and number', async (t) => {
  const folder = await temporaryFolder(t);
  mkdirSync(path.join(folder, 'pngs'));
  for (let i = 0; i < 40; i++) {
    const png = encode({ width: 8, height: 4, channels: 3, depth: 8, data: new Uint8Array(96).fill(i) });
    writeFileSync(path.join(folder, 'pngs', `${i}.png`), png);
  }
  const file = path.join(folder, 'c.yaml');
  writeFileSync(
    file,
    'name: c\ndata: {set: folder, folder: pngs}\nmodel: {network: {kind: unet, channels: 8, blocks: 0, groups: 4}}\ntraining: {steps: 10, batch: 8, slices: 1}',
  );
  const { data, model } = await describeRun(await loadConfig(file));
  assert.deepEqual([data.shape, data.numTrain + data.numTest, model.numVariables], [[4, 8, 3], 40, 96]);
  assert.equal(data.epochs, 10 / Math.floor(data.numTrain / 8));
  await assert.rejects(
    async () => describeRun(await loadConfig(file, ['data.folder=nowhere'])),
    (error) => error instanceof UserError && error.message.includes('nowhere'),
  );
});
