import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { decode } from 'fast-png';
import { isDue, Products } from '../../coordinator/products.js';
import { configSchema } from '../../shared/config/schema.js';
import type { Dataset, Split } from '../../shared/data/dataset.js';
import { decodeWav } from '../../shared/render/wav.js';
import { temporaryFolder } from '../data/temporary.js';

const split: Split = { count: 10, read: (index, into) => void into.fill(index) };
const dataset: Dataset = { name: 'made up', shape: [2, 2, 1], numClasses: 256, train: split, test: split };
const config = configSchema.parse({
  name: 'x',
  data: { set: 'mnist' },
  model: { network: { kind: 'unet' } },
  training: { steps: 100, batch: 2, slices: 1 },
  evaluation: { everySteps: 10, examples: 7, passes: 2, batch: 4 },
  samples: { everySteps: 20, count: 3, batch: 2 },
});

test('what comes every so many steps comes at the last step too', () => {
  const due = (every: number) => [0, 5, 7, 10, 12].filter((step) => isDue(step, every, 12));
  assert.deepEqual(due(5), [5, 10, 12]);
  assert.deepEqual(due(0), [12]);
});

test('the tasks of a step cover each test example once a pass, and every sample', () => {
  const products = new Products(config, dataset, { numPositions: 4, numStages: 1 }, '');
  assert.deepEqual(products.tasksAfter(5), []);
  const evaluations = [
    { kind: 'evaluate', task: 0, pass: 0, first: 0, count: 4 },
    { kind: 'evaluate', task: 1, pass: 0, first: 4, count: 3 },
    { kind: 'evaluate', task: 2, pass: 1, first: 0, count: 4 },
    { kind: 'evaluate', task: 3, pass: 1, first: 4, count: 3 },
  ];
  const samples = [
    { kind: 'sample', task: 4, first: 0, count: 2 },
    { kind: 'sample', task: 5, first: 2, count: 1 },
  ];
  assert.deepEqual(products.tasksAfter(10), evaluations);
  assert.deepEqual(products.tasksAfter(20), [...evaluations, ...samples]);
  assert.deepEqual(products.tasksAfter(100), [...evaluations, ...samples]);
  const second = evaluations[1] as Parameters<Products['examplesOf']>[0];
  assert.deepEqual([...products.examplesOf(second)], [4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6]);
});

test('results become a mean with its standard error, and a grid on disk', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'samples');
  const products = new Products(config, dataset, { numPositions: 4, numStages: 1 }, folder);
  products.begin(1000);
  for (const task of products.tasksAfter(20)) {
    const result =
      task.kind === 'evaluate'
        ? new Uint8Array(
            Float64Array.from({ length: task.count }, (_, i) => -(task.first + i) - 2 * task.pass).buffer,
          )
        : new Uint8Array(4 * task.count).fill(200);
    assert.equal(result.length, products.resultBytes(task));
    products.add(task.task, result);
  }
  const [evaluation, samples] = await products.finish(20, 4000);
  assert.ok(evaluation?.event === 'evaluation' && samples?.event === 'samples');
  // Means over the two passes are 1, 2, ... 7: variance 14/3.
  assert.equal(evaluation.bitsPerDim, 4);
  assert.ok(Math.abs(evaluation.standardError - Math.sqrt(14 / 3 / 7)) < 1e-12);
  assert.deepEqual([evaluation.examples, evaluation.seconds], [7, 3]);
  assert.deepEqual(readdirSync(folder), ['step-00000020.png']);
  assert.equal(samples.budget, 4, 'one call a variable');
  const { width, data } = decode(readFileSync(samples.path));
  assert.equal(width, 2 * (2 * 48 + 2) + 2);
  assert.equal(data[2 * width + 2], 200);
});

test('samples of audio are a picture to look at and a WAV file each, of a stage model all its calls', async (t) => {
  const folder = await temporaryFolder(t);
  const audio = configSchema.parse({
    ...config,
    data: { set: 'wav', folder: '.', length: 600, sampleRate: 8000 },
    samples: { count: 2, batch: 2, budget: 5 },
  });
  const clips: Dataset = { ...dataset, shape: [1, 600, 1], numClasses: 65_536 };
  const products = new Products(audio, clips, { numPositions: 600, numStages: 4 }, folder);
  products.begin(0);
  const [task] = products.tasksAfter(100).filter(({ kind }) => kind === 'sample');
  assert.equal(products.resultBytes(task!), 2 * 600 * 2);
  const levels = Uint16Array.from({ length: 2 * 600 }, (_, i) => 32_768 + (i < 600 ? 100 : -100));
  products.tasksAfter(100).forEach(({ kind, task }) => {
    const elbos = Float64Array.from({ length: 10 }, () => -1);
    products.add(task, new Uint8Array(kind === 'sample' ? levels.buffer : elbos.buffer));
  });
  const events = await products.finish(100, 1000);
  const samples = events.find(({ event }) => event === 'samples');
  const stem = path.join(folder, 'step-00000100');
  assert.deepEqual(samples, {
    ...{ event: 'samples', step: 100, path: `${stem}.png`, count: 2, budget: 20, seconds: 1 },
  });
  const files = readdirSync(folder).toSorted();
  assert.deepEqual(files, ['step-00000100-0.wav', 'step-00000100-1.wav', 'step-00000100.png']);
  const { sampleRate, samples: read } = decodeWav(readFileSync(`${stem}-1.wav`), 'second');
  assert.deepEqual([sampleRate, read.length, ...new Set(read)], [8000, 600, -100]);
});
