import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { UserError } from '../../shared/errors.js';
import type { Split } from '../../shared/data/dataset.js';
import { openWavFolder } from '../../shared/data/wav-folder.js';
import { encodeWav } from '../../shared/render/wav.js';
import { temporaryFolder } from './temporary.js';

const options = { sampleRate: 8000, length: 6, testFraction: 0.5 };

const clip = (...samples: number[]) => encodeWav(Int16Array.from(samples), 8000);

function write(folder: string, name: string, bytes: Uint8Array | string): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), bytes);
}

/** Clips whose first sample is their number, in two folders. */
async function folderOf(t: TestContext, count: number): Promise<string> {
  const folder = await temporaryFolder(t);
  for (let i = 0; i < count; i++) write(folder, `${i % 2 ? 'odd' : 'even'}/${i}.WAV`, clip(i, -1));
  return folder;
}

function clips(split: Split): number[][] {
  const into = new Uint16Array(6);
  return Array.from({ length: split.count }, (_, i) => {
    split.read(i, into);
    return [...into];
  });
}

const numbers = (split: Split) => clips(split).map(([first]) => first! - 32_768);

test('WAV files of all folders below are clips padded with silence, each in one split', async (t) => {
  const folder = await folderOf(t, 20);
  write(folder, 'notes.txt', 'no clip');
  const dataset = await openWavFolder(folder, options);
  assert.deepEqual([dataset.shape, dataset.numClasses], [[1, 6, 1], 65_536]);
  const { train, test, validation, notes } = dataset;
  const all = [...numbers(train), ...numbers(test)].toSorted((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.deepEqual(clips(train)[0]!.slice(1), [32_767, 32_768, 32_768, 32_768, 32_768]);
  assert.deepEqual([validation, notes], [undefined, undefined]);
  write(folder, 'another.wav', clip(100));
  const after = await openWavFolder(folder, options);
  const old = (split: Split) => numbers(split).filter((number) => number !== 100);
  assert.deepEqual([old(after.train), old(after.test)], [numbers(train), numbers(test)]);
});

test('lists in the folder say which clips are held out', async (t) => {
  const folder = await folderOf(t, 6);
  write(folder, 'testing_list.txt', 'even/4.WAV\r\nodd/1.WAV\r\n');
  const without = await openWavFolder(folder, options);
  assert.deepEqual(
    [numbers(without.train), numbers(without.test)],
    [
      [0, 2, 3, 5],
      [4, 1],
    ],
  );
  assert.equal(without.validation, undefined);
  write(folder, 'validation_list.txt', 'even/2.WAV\n');
  const { train, validation, test } = await openWavFolder(folder, options);
  assert.deepEqual([numbers(train), numbers(validation!), numbers(test)], [[0, 3, 5], [2], [4, 1]]);
  write(folder, 'testing_list.txt', 'elsewhere.wav\n');
  await assert.rejects(
    openWavFolder(folder, options),
    /none of the 6 WAV files .* fall into the test split: change the lists/,
  );
});

test('longer clips are cut, and how many is said', async (t) => {
  const folder = await folderOf(t, 6);
  write(folder, 'testing_list.txt', 'long.wav');
  write(folder, 'long.wav', clip(1, 2, 3, 4, 5, 6, 7));
  const { test, notes } = await openWavFolder(folder, options);
  assert.deepEqual(clips(test), [[1, 2, 3, 4, 5, 6].map((sample) => sample + 32_768)]);
  assert.deepEqual(notes, [`${folder}: 1 of 7 clips are longer than data.length 6 and cut`]);
});

test('what does not fit is refused with the file named', async (t) => {
  const stereo = Buffer.from(clip(1, 2));
  stereo.writeUInt16LE(2, 22);
  const odd = Buffer.concat([clip(1, 2), Buffer.alloc(1)]);
  odd.writeUInt32LE(5, 40);
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    [
      'another rate',
      encodeWav(new Int16Array(5), 44_100),
      /has 44100 samples a second, and data.sampleRate is 8000: resample it, e.g. with ffmpeg -ar 8000/,
    ],
    ['stereo', stereo, /has 2 channels/],
    ['an odd length', odd, /end within a sample/],
    ['cut off', clip(1, 2).subarray(0, 46), /is cut off/],
    ['no samples', clip(), /has no samples/],
    ['an empty file', new Uint8Array(0), /is no WAV file/],
  ];
  for (const [what, bytes, message] of cases) {
    await t.test(what, async (t) => {
      const folder = await folderOf(t, 6);
      write(folder, 'z.wav', bytes);
      await assert.rejects(openWavFolder(folder, options), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        return error.message.startsWith(path.join(folder, 'z.wav'));
      });
    });
  }
});

test('a folder that is missing, empty, or leaves a split empty is named', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    openWavFolder(path.join(folder, 'nowhere'), options),
    /can't read .*nowhere: there is none/,
  );
  await assert.rejects(openWavFolder(folder, options), /has no WAV files/);
  write(folder, 'one.wav', clip(1));
  await assert.rejects(openWavFolder(folder, options), /none of the 1 WAV files .* change data.testFraction/);
});

test('the hash is another one when a clip changes, or its split', async (t) => {
  const folder = await folderOf(t, 6);
  const hashOf = async () => (await openWavFolder(folder, options)).hash;
  write(folder, 'testing_list.txt', 'even/4.WAV\nodd/1.WAV\n');
  const first = await hashOf();
  assert.match(first!, /^[0-9a-f]{64}$/);
  assert.equal(await hashOf(), first);
  write(folder, 'testing_list.txt', 'even/4.WAV\nodd/3.WAV\n');
  const other = await hashOf();
  write(folder, 'even/0.WAV', clip(0, -2));
  assert.equal(new Set([first, other, await hashOf()]).size, 3);
});

test('a file in place of the folder is told', async (t) => {
  const folder = await folderOf(t, 2);
  const file = path.join(folder, 'odd', '1.WAV');
  await assert.rejects(openWavFolder(file, options), /can't read .*1\.WAV: it is no folder/);
});
