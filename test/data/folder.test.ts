import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { encode } from 'fast-png';
import type { ImageData } from 'fast-png';
import { UserError } from '../../shared/errors.js';
import type { Split } from '../../shared/data/dataset.js';
import { openFolder } from '../../shared/data/folder.js';
import { noise } from './archives.js';
import { temporaryFolder } from './temporary.js';

function write(folder: string, name: string, image: Partial<ImageData> & { data: ImageData['data'] }): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, encode({ width: 5, height: 4, channels: 1, depth: 8, ...image }));
}

function images(split: Split, size: number): string[] {
  const into = new Uint8Array(size);
  return Array.from({ length: split.count }, (_, i) => {
    split.read(i, into);
    return into.join();
  });
}

/** Grey images that tell themselves apart by their first byte. */
function writeMany(folder: string, count: number): void {
  for (let i = 0; i < count; i++) write(folder, `image-${i}.png`, { data: noise(20, i) });
}

test('PNG files are found in all folders below, in the order of their names, each in one split', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['b.png', 'a/z.PNG', 'a/b/c.png', ...Array.from({ length: 20 }, (_, i) => `m${i}.png`)];
  names.forEach((name, i) => write(folder, name, { data: noise(20, i) }));
  writeFileSync(path.join(folder, 'notes.txt'), 'not an image');
  writeFileSync(path.join(folder, '._b.png'), 'not an image either');
  const dataset = await openFolder(folder, 0.5);
  assert.deepEqual(dataset.shape, [4, 5, 1]);
  assert.equal(dataset.numClasses, 256);
  const sorted = names.toSorted().map((name) => noise(20, names.indexOf(name)).join());
  const [train, test] = [images(dataset.train, 20), images(dataset.test, 20)];
  assert.ok(train.length > 0 && test.length > 0);
  assert.deepEqual(
    sorted.filter((image) => train.includes(image)),
    train,
  );
  assert.deepEqual(
    sorted.filter((image) => test.includes(image)),
    test,
  );
  assert.equal(train.length + test.length, names.length);
});

test('RGB images keep their channels', async (t) => {
  const folder = await temporaryFolder(t);
  for (let i = 0; i < 20; i++) write(folder, `${i}.png`, { data: noise(60, 1), channels: 3 });
  const dataset = await openFolder(folder, 0.5);
  assert.deepEqual(dataset.shape, [4, 5, 3]);
  assert.equal(images(dataset.train, 60)[0], noise(60, 1).join());
});

test('about testFraction of the files are held out, and a new file moves no other', async (t) => {
  const folder = await temporaryFolder(t);
  writeMany(folder, 400);
  const before = await openFolder(folder, 0.25);
  assert.ok(Math.abs(before.test.count - 100) < 4 * Math.sqrt(400 * 0.25 * 0.75), `${before.test.count}`);
  write(folder, 'another.png', { data: noise(20, 1000) });
  const after = await openFolder(folder, 0.25);
  const added = noise(20, 1000).join();
  const others = (split: Split) => images(split, 20).filter((image) => image !== added);
  assert.deepEqual(others(after.test), images(before.test, 20));
  assert.deepEqual(others(after.train), images(before.train, 20));
});

test('an alpha channel without transparency is dropped', async (t) => {
  const folder = await temporaryFolder(t);
  const data = noise(80);
  for (let pixel = 0; pixel < 20; pixel++) data[pixel * 4 + 3] = 255;
  for (let i = 0; i < 20; i++) write(folder, `${i}.png`, { data, channels: 4 });
  const dataset = await openFolder(folder, 0.5);
  assert.deepEqual(dataset.shape, [4, 5, 3]);
  assert.equal(images(dataset.train, 60)[0], data.filter((_, i) => i % 4 !== 3).join());
});

test('what does not fit is refused with the file named', async (t) => {
  const cases: [string, (folder: string) => void, RegExp][] = [
    [
      'another size',
      (folder) => write(folder, 'z.png', { width: 4, height: 5, data: noise(20) }),
      /is 5x4 grey, but .*image-0\.png is 4x5 grey/,
    ],
    [
      'other channels',
      (folder) => write(folder, 'z.png', { data: noise(60), channels: 3 }),
      /is 4x5 RGB, but .* is 4x5 grey/,
    ],
    [
      '16 bits',
      (folder) => write(folder, 'z.png', { data: new Uint16Array(20), depth: 16 }),
      /has 16 bits a channel: convert it to 8/,
    ],
    [
      'transparency',
      (folder) => write(folder, 'z.png', { data: noise(40), channels: 2 }),
      /has transparent pixels/,
    ],
    [
      'a palette',
      (folder) => write(folder, 'z.png', { data: new Uint8Array(20), palette: [[1, 2, 3]] }),
      /has a palette/,
    ],
    ['no PNG', (folder) => writeFileSync(path.join(folder, 'z.png'), 'GIF89a'), /is no whole PNG file/],
    ['an empty file', (folder) => writeFileSync(path.join(folder, 'z.png'), ''), /is no whole PNG file/],
  ];
  for (const [what, spoil, message] of cases) {
    await t.test(what, async (t) => {
      const folder = await temporaryFolder(t);
      writeMany(folder, 3);
      spoil(folder);
      await assert.rejects(openFolder(folder, 0.5), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(path.join(folder, 'z.png')), error.message);
        return true;
      });
    });
  }
});

test('a PNG cut off anywhere, or with a flipped bit, is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = encode({ width: 5, height: 4, channels: 1, depth: 8, data: noise(20) });
  const file = path.join(folder, 'a.png');
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    await assert.rejects(
      openFolder(folder, 0.5),
      /a\.png is no whole PNG file/,
      `${length} of ${whole.length} bytes`,
    );
  }
  for (let at = 0; at < whole.length; at++) {
    const altered = whole.slice();
    altered[at]! ^= 16;
    writeFileSync(file, altered);
    await assert.rejects(openFolder(folder, 0.5), /a\.png is no whole PNG file/, `byte ${at}`);
  }
});

test('a folder that is missing, empty, or leaves a split empty is named', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(openFolder(path.join(folder, 'nowhere'), 0.1), /can't read .*nowhere: there is none/);
  await assert.rejects(openFolder(folder, 0.1), /has no PNG files/);
  writeMany(folder, 1);
  await assert.rejects(
    openFolder(folder, 0.5),
    /none of the 1 PNG files .* fall into the (train|test) split/,
  );
});

test('the hash is that of all files and their names, wherever the folder is', async (t) => {
  const hashOf = async (change: (folder: string) => void) => {
    const folder = await temporaryFolder(t);
    writeMany(folder, 20);
    change(folder);
    return (await openFolder(folder, 0.5)).hash;
  };
  const hash = await hashOf(() => {});
  assert.match(hash!, /^[0-9a-f]{64}$/);
  assert.equal(await hashOf((folder) => writeFileSync(path.join(folder, 'notes.txt'), 'no image')), hash);
  const others = [
    await hashOf((folder) => write(folder, 'image-3.png', { data: noise(20, 99) })),
    await hashOf((folder) => write(folder, 'image-20.png', { data: noise(20, 20) })),
    await hashOf((folder) =>
      renameSync(path.join(folder, 'image-3.png'), path.join(folder, 'picture-3.png')),
    ),
  ];
  assert.equal(new Set([hash, ...others]).size, 4);
});
