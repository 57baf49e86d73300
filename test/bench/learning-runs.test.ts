import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { RUNS, text8Layout, type GivenData } from '../../bench/learning-runs.js';
import { readReferenceCurve } from '../../bench/reference-curve.js';
import { textDataset } from '../../shared/data/text.js';
import { vocabularies } from '../../shared/data/vocabulary.js';
import { UsageError, UserError } from '../../shared/errors.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { encodeWav } from '../../shared/render/wav.js';
import { temporaryFolder } from '../data/temporary.js';

const open = async (run: keyof typeof RUNS, given: GivenData) =>
  RUNS[run].open(await RUNS[run].config(), given, () => {});

test('a text that is shorter than the recorded one is refused with both lengths', async (t) => {
  const file = path.join(await temporaryFolder(t), 'book.txt');
  await writeFile(file, 'a'.repeat(1000));
  await assert.rejects(open('text8', { text: file }), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /book\.txt is truncated: 1000 bytes instead of 6877825/);
    return true;
  });
});

test('another text of the right length is refused by its checksum', async (t) => {
  const file = path.join(await temporaryFolder(t), 'book.txt');
  await writeFile(file, 'a'.repeat(7_000_000));
  await assert.rejects(open('text8', { text: file }), /is altered: sha256 \w{64} instead of 8c5551457ad8/);
});

test('audio without a folder of clips is a wrong use', async () => {
  await assert.rejects(open('audio', {}), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /--audio FOLDER/);
    return true;
  });
});

test('other clips than the recorded ones are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, 'one'));
  for (let i = 0; i < 40; i++) {
    await writeFile(path.join(folder, `one/${i}.wav`), encodeWav(new Int16Array(2000).fill(i), 16_000));
  }
  await assert.rejects(open('audio', { audio: folder }), /other clips .* sha256 \w{64} instead of \w{64}/);
});

test('the text is read at its recorded places: test examples end to end in its last 5 %, training ones anywhere before', () => {
  const layout = text8Layout(64);
  const bytes = new Uint8Array(layout.test.end).fill(32);
  bytes.set(Buffer.from('held out'), layout.test.begin + 64);
  const { train, test: held } = textDataset('text8', bytes, layout, { vocabulary: 'text8', context: 0 });
  const example = new Uint8Array(64);
  held.read(1, example);
  assert.equal(vocabularies.text8.show(example).trim(), 'held out');
  assert.ok(held.count >= readReferenceCurve('text8').timeSteps.length);

  const numStarts = Math.floor(6_877_825 * 0.9) - 64;
  const drawn: number[] = [];
  const random = stream(0, PURPOSE.shuffle);
  random.below = (n) => (drawn.push(n), 0);
  train.read(0, example, random);
  assert.equal(train.count, 1);
  assert.ok(Math.abs(drawn[0]! - numStarts) <= 2);
});
