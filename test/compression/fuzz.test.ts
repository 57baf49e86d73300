import assert from 'node:assert/strict';
import test from 'node:test';
import { bodyOf, writeIndex } from '../../shared/compression/entry.js';
import { ByteWriter } from '../../shared/compression/byte-writer.js';
import { crc32c } from '../../shared/compression/crc32c.js';
import { CompressionError } from '../../shared/compression/error.js';
import { PURPOSE, stream, type Random } from '../../shared/random/philox.js';
import { noise } from '../data/archives.js';
import { containerOf, entriesOf, filesOf } from './files.js';
import { covered } from './made-up.js';

const FILES: Readonly<Record<string, Uint8Array>> = {
  'a.m': covered([1, 2, 3], 40),
  'b.txt': Buffer.from('the cat sat on the mat and '.repeat(9)),
  'c.m': covered([4, 5, 6, 7, 8]),
  d: noise(60),
};

const NUM_FILES = 2000;

/** Ways to spoil bytes: bits, pieces lost, doubled, moved or of noise, and numbers that are large. */
const SPOIL: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => changed(bytes, random, () => random.below(256)),
  (bytes, random) => changed(bytes, random, () => 0xff),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => spliced(bytes, random, new Uint8Array()),
  (bytes, random) => spliced(bytes, random, noise(random.below(9), random.uint32())),
  (bytes, random) => spliced(bytes, random, bytes.subarray(random.below(bytes.length)).subarray(0, 20)),
  (bytes, random) => spliced(bytes, random, new ByteWriter().number(2 ** random.below(53)).finish()),
];

function changed(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(copy.length);
    copy[at] = change(copy[at]!);
  }
  return copy;
}

/** With a few bytes from somewhere on replaced. */
function spliced(bytes: Uint8Array, random: Random, by: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + random.below(5))]);
}

/** Spoilt files are refused or give files that are what they were; how many of each. */
async function decompressAll(spoil: (random: Random) => Promise<Uint8Array>) {
  const counts = { refused: 0, unharmed: 0 };
  for (let i = 0; i < NUM_FILES; i++) {
    const file = await spoil(stream(1, PURPOSE.sample, i));
    try {
      for (const [name, bytes] of Object.entries(await filesOf(file))) {
        const crc = crc32c(bytes);
        assert.ok(
          Object.values(FILES).some((original) => crc32c(original) === crc),
          `${i}: ${name} is wrong`,
        );
      }
      counts.unharmed++;
    } catch (error) {
      assert.ok(error instanceof CompressionError, `${i}: ${(error as Error).stack}`);
      counts.refused++;
    }
  }
  return counts;
}

test('no spoilt file gives wrong bytes or another error', async () => {
  const file = await containerOf(await entriesOf(FILES));
  const { refused, unharmed } = await decompressAll(async (random) => {
    const spoil = SPOIL[random.below(SPOIL.length)]!;
    return spoil(file, random);
  });
  assert.ok(refused > 1900 && unharmed > 0, `${refused} refused, ${unharmed} unharmed`);
});

test('nor does one whose sums are right', async () => {
  const entries = await entriesOf(FILES);
  const start = (await containerOf([])).subarray(0, -1);
  const { refused, unharmed } = await decompressAll(async (random) => {
    const spoilt = random.below(entries.length);
    let before = start.readUInt32LE(start.length - 4);
    const parts: Uint8Array[] = [start];
    entries.forEach((entry, i) => {
      const whole = writeIndex(entry);
      const index = i === spoilt ? SPOIL[random.below(SPOIL.length)]!(whole, random) : whole;
      before = crc32c(index, before);
      parts.push(new ByteWriter().sized(index).word(before).finish(), ...bodyOf(entry));
    });
    return Buffer.concat([...parts, Uint8Array.of(0)]);
  });
  assert.ok(refused > 1000 && unharmed > 50, `${refused} refused, ${unharmed} unharmed`);
});
