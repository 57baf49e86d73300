import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { encode } from 'fast-png';
import { UserError } from '../../shared/errors.js';
import { rebuildBatches, unpackStrips } from '../../shared/data/cifar10-strips.js';
import { cifar10Split } from '../../shared/data/cifar10.js';
import { noise } from './archives.js';

const IMAGE_BYTES = 3 * 1024;

test('a record becomes height, width, channel, its label left out', () => {
  const records = noise(2 * 3073);
  const split = cifar10Split([{ name: 'batch', bytes: records }]);
  assert.equal(split.count, 2);
  const image = new Uint8Array(IMAGE_BYTES);
  split.read(1, image);
  const at = (y: number, x: number, channel: number) => records[3073 + 1 + channel * 1024 + y * 32 + x];
  for (const [y, x] of [
    [0, 0],
    [0, 31],
    [17, 5],
    [31, 31],
  ] as const) {
    const pixel = [...image.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)];
    assert.deepEqual(pixel, [at(y, x, 0), at(y, x, 1), at(y, x, 2)]);
  }
});

test('batches follow one another', () => {
  const [one, two] = [noise(2 * 3073), noise(3073, 2)];
  const both = cifar10Split([
    { name: 'one', bytes: one },
    { name: 'two', bytes: two },
  ]);
  assert.equal(both.count, 3);
  const [actual, expected] = [new Uint8Array(IMAGE_BYTES), new Uint8Array(IMAGE_BYTES)];
  both.read(2, actual);
  cifar10Split([{ name: 'two', bytes: two }]).read(0, expected);
  assert.deepEqual(actual, expected);
});

test('a batch that ends inside a record is refused by name', () => {
  for (const bytes of [noise(3072), noise(3074), noise(0)]) {
    assert.throws(
      () => cifar10Split([{ name: 'data_batch_3.bin', bytes }]),
      (error) =>
        error instanceof UserError && error.message.startsWith('data_batch_3.bin is no CIFAR-10 batch'),
    );
  }
});

/** A package of strips, two images a batch, with what each image is made of. */
function stripPackage() {
  const images = Array.from({ length: 12 }, (_, i) => noise(IMAGE_BYTES, i + 1));
  const strips = [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ];
  const entries = new Map<string, Uint8Array>(
    strips.map((name, batch) => {
      const data = Buffer.concat(images.slice(batch * 2, batch * 2 + 2));
      return [`package/${name}.png`, encode({ width: 1024, height: 2, data, channels: 3, depth: 8 })];
    }),
  );
  entries.set('package/train_lables.json', Buffer.from('[0,1,2,3,4,5,6,7,8,9]'));
  entries.set('package/test_lables.json', Buffer.from('[7,3]'));
  return { images, entries };
}

test('strips are rebuilt into official batches: labels, planes and order', () => {
  const { images, entries } = stripPackage();
  const batches = [...rebuildBatches(entries)];
  assert.deepEqual(
    batches.map(([name, bytes]) => [name, bytes[0], bytes[3073], bytes.length]),
    [
      ['data_batch_1.bin', 0, 1, 6146],
      ['data_batch_2.bin', 2, 3, 6146],
      ['data_batch_3.bin', 4, 5, 6146],
      ['data_batch_4.bin', 6, 7, 6146],
      ['data_batch_5.bin', 8, 9, 6146],
      ['test_batch.bin', 7, 3, 6146],
    ],
  );
  const split = cifar10Split(batches.map(([name, bytes]) => ({ name, bytes })));
  const image = new Uint8Array(IMAGE_BYTES);
  images.forEach((expected, i) => {
    split.read(i, image);
    assert.deepEqual(image, expected, `image ${i}`);
  });
});

test('the files of a package come in any order', async () => {
  const { entries } = stripPackage();
  const reversed = [...entries].toReversed();
  const unpacked: [string, Uint8Array[]][] = [];
  for await (const [name, parts] of unpackStrips(Readable.from(reversed))) unpacked.push([name, parts]);
  assert.deepEqual(
    unpacked,
    [...rebuildBatches(entries)].map(([name, bytes]) => [name, [bytes]]),
  );
});

test('a package without its files, or with other strips, is refused', () => {
  const { entries } = stripPackage();
  entries.delete('package/data_batch_4.png');
  assert.throws(() => [...rebuildBatches(entries)], /lacks data_batch_4.png/);
  entries.set(
    'package/data_batch_4.png',
    encode({ width: 32, height: 2, data: noise(64), channels: 1, depth: 8 }),
  );
  assert.throws(() => [...rebuildBatches(entries)], /32 pixels wide with 1 channels/);
});
