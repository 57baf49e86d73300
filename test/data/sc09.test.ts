import assert from 'node:assert/strict';
import test from 'node:test';
import type { Entries } from '../../shared/data/archive.js';
import { packSc09, sc09Dataset } from '../../shared/data/sc09.js';
import { sources } from '../../shared/data/sources.js';
import { encodeWav } from '../../shared/render/wav.js';

const clip = (...samples: number[]) => encodeWav(Int16Array.from(samples), 16_000);

/** In the order of the real archive, where the lists come last. */
const archive: Record<string, Uint8Array> = {
  './README.md': Buffer.from('commands'),
  './_background_noise_/pink_noise.wav': clip(1),
  './zero/b.wav': clip(2, -1),
  './zero/a.wav': clip(-32768, -1, 0, 32767),
  './tree/a.wav': clip(3),
  './nine/a.wav': clip(4),
  './one/a.wav': clip(5),
  './testing_list.txt': Buffer.from('one/a.wav\ntree/a.wav\n'),
  './validation_list.txt': Buffer.from('nine/a.wav\n'),
};

async function* entriesOf(files: Record<string, Uint8Array>): Entries {
  yield* Object.entries(files);
}

async function pack(files: Record<string, Uint8Array>): Promise<Map<string, Uint8Array>> {
  const packed = new Map<string, Uint8Array>();
  for await (const [name, parts] of packSc09(entriesOf(files))) packed.set(name, Buffer.concat(parts));
  return packed;
}

test('the digits are packed by the lists, sorted, padded to a second; other words are left out', async () => {
  const dataset = sc09Dataset(await pack(archive), 16_000);
  assert.deepEqual([dataset.shape, dataset.numClasses], [[1, 16_000, 1], 65_536]);
  const { train, validation, test } = dataset;
  assert.deepEqual([train.count, validation!.count, test.count], [2, 1, 1]);
  const into = new Uint16Array(16_000);
  const firstOf = (split: typeof train, index: number) => {
    split.read(index, into);
    assert.ok(into.subarray(4).every((value) => value === 32_768));
    return [...into.subarray(0, 4)];
  };
  assert.deepEqual(firstOf(train, 0), [0, 32_767, 32_768, 65_535]);
  assert.deepEqual(firstOf(train, 1), [32_770, 32_767, 32_768, 32_768]);
  assert.equal(firstOf(validation!, 0)[0], 32_772);
  assert.equal(firstOf(test, 0)[0], 32_773);
});

test('clips are cut to a shorter length and padded to a longer one', async () => {
  const long = clip(...Array.from({ length: 16_005 }, (_, i) => i));
  const packed = await pack({ ...archive, './zero/a.wav': long });
  for (const length of [100, 20_000]) {
    const into = new Uint16Array(length);
    sc09Dataset(packed, length).train.read(0, into);
    const expected = Array.from({ length }, (_, i) => 32_768 + (i < 16_000 ? i : 0));
    assert.deepEqual([...into], expected);
  }
});

test('the packed files have the published numbers of clips', () => {
  const clips = sources.sc09.files.map(({ name, bytes }) => [name, bytes / 32_000]);
  assert.deepEqual(clips, [
    ['train.u16', 31_158],
    ['validation.u16', 3_643],
    ['test.u16', 4_107],
  ]);
});
