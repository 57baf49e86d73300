import assert from 'node:assert/strict';
import test from 'node:test';
import { Sharder } from '../../coordinator/sharder.js';
import { configSchema } from '../../shared/config/schema.js';
import type { Dataset, Split } from '../../shared/data/dataset.js';

const COUNT = 22;
const split: Split = { count: COUNT, read: (index, into) => void into.fill(index).fill(100 + index, 1) };
const dataset: Dataset = { name: 'made up', shape: [1, 2, 1], numClasses: 256, train: split, test: split };
const config = (augment: 'none' | 'flip' = 'none', seed = 3) =>
  configSchema.parse({
    name: 'x',
    seed,
    data: { set: 'mnist', augment },
    model: { network: { kind: 'unet' } },
    training: { steps: 9, batch: 8, slices: 4 },
  });
const sharder = new Sharder(config(), dataset);
/** The first pixel tells the example. */
const indices = (examples: Uint8Array) => [...examples].filter((_, i) => i % 2 === 0);

test('slices cut the batch into equal parts, however they are dealt', () => {
  assert.equal(sharder.sliceSize, 2);
  const whole = sharder.examples(4, 0, 4);
  const parts = [0, 1, 2, 3].flatMap((slice) => [...sharder.examples(4, slice, slice + 1)]);
  assert.deepEqual(parts, [...whole]);
  assert.deepEqual([...sharder.examples(4, 1, 3)], [...whole.slice(4, 12)]);
});

test('no example comes twice in an epoch, and the next one has another order', () => {
  const epoch = (first: number) => [0, 1].flatMap((nth) => indices(sharder.examples(first + nth, 0, 4)));
  assert.equal(new Set(epoch(0)).size, 16);
  assert.equal(new Set(epoch(2)).size, 16);
  assert.notDeepEqual(epoch(0), epoch(2));
  assert.deepEqual(epoch(0), epoch(0));
  assert.deepEqual([sharder.epochAt(0), sharder.epochAt(1), sharder.epochAt(4)], [0, 0.5, 2]);
});

test('a step dealt again has the same augmented examples; another seed has others', () => {
  const flipping = new Sharder(config('flip'), dataset);
  const again = new Sharder(config('flip'), dataset);
  const steps = [0, 1, 2, 3, 4, 5];
  const all = (from: Sharder) => steps.map((step) => [...from.examples(step, 0, 4)]);
  assert.deepEqual(all(flipping), all(again));
  assert.notDeepEqual(all(flipping), all(sharder), 'nothing was flipped');
  assert.notDeepEqual(all(new Sharder(config('flip', 4), dataset)), all(flipping));
});
