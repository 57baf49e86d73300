import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteSource } from '../../shared/compression/byte-source.js';
import { ByteWriter } from '../../shared/compression/byte-writer.js';
import { openContainer, sizeOf } from '../../shared/compression/container.js';
import { crc32c } from '../../shared/compression/crc32c.js';
import type { Entry } from '../../shared/compression/entry.js';
import { CompressionError } from '../../shared/compression/error.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { madeUpCoder } from './made-up.js';
import { all, containerOf, each, sourceOf } from './files.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

const ENTRIES: readonly Entry[] = [
  { name: 'empty', length: 0, crc: 0, method: 'stored', body: bytes() },
  { name: 'дом.txt', length: 300, crc: 2 ** 32 - 1, method: 'brotli', body: bytes(1, 2, 3) },
  {
    ...{ name: 'a.png', length: 99, crc: 5, method: 'png', skipped: 70_000 },
    ...{ streams: [bytes(4), bytes(), bytes(5, 6)], absent: bytes(0, 1, 2), rest: bytes(7, 8) },
  },
  {
    ...{ name: 'b.idx', length: 999, crc: 6, method: 'idx', skipped: 0, streams: [new Uint8Array(200)] },
    ...{ absent: bytes(), rest: bytes() },
  },
];

async function read(file: Uint8Array, pieceBytes?: number, maxSize?: number): Promise<Entry[]> {
  return all((await openContainer(sourceOf(file, pieceBytes), maxSize)).entries);
}

/** Buffers are as good as other arrays. */
const plainly = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? [...each] : (each?.data ?? each))),
  );

const isDamage = (error: unknown, message = / is damaged/) =>
  error instanceof CompressionError && message.test(error.message);

test('entries come back, in whatever pieces the file arrives', async () => {
  const file = await containerOf(ENTRIES);
  for (const pieceBytes of [1, 2, 7, 64, file.length])
    assert.deepEqual(plainly(await read(file, pieceBytes)), plainly(ENTRIES));
  assert.deepEqual(await read(await containerOf([])), []);
});

test('one digit takes 54 bytes beside its name, rest and stream', async () => {
  const policy = naivePolicy(784, 784);
  const coder = madeUpCoder({ plan: { policy, seed: 0, batch: 16 } });
  const entry: Entry = {
    ...{ name: '7.png', length: 300, crc: 1, method: 'png', skipped: 0 },
    ...{ streams: [new Uint8Array(110)], absent: bytes(), rest: new Uint8Array(9) },
  };
  const header = (await containerOf([], coder)).length;
  assert.deepEqual([header, sizeOf(entry)], [36, 5 + 9 + 110 + 18]);
  assert.equal((await containerOf([entry], coder)).length, header + sizeOf(entry));
});

test('a file that is cut anywhere is refused, after the entries before', async () => {
  const file = await containerOf(ENTRIES);
  for (let length = 0; length < file.length; length++) {
    const { entries } = (await openContainer(sourceOf(file.subarray(0, length))).catch((error) => {
      assert.ok(isDamage(error, /is no file that ardm compress wrote|is cut off/), error.message);
    })) ?? { entries: each<Entry>([]) };
    const found: Entry[] = [];
    try {
      for await (const entry of entries) found.push(entry);
      assert.equal(found.length, 0);
    } catch (error) {
      assert.ok(
        isDamage(error, /x\.ardm is damaged at byte \d+: it is cut off: \d+ of \d+ bytes are missing/),
      );
    }
    assert.deepEqual(plainly(found), plainly(ENTRIES.slice(0, found.length)));
  }
});

test('a flipped bit is found in all but the bodies', async () => {
  const file = await containerOf(ENTRIES);
  const bodies = ENTRIES.map((entry) => ('body' in entry ? entry.body.length : 0)).reduce((a, b) => a + b);
  const inBodies = 8 * (bodies + 2 + 3 + 200);
  let numUnnoticed = 0;
  for (let bit = 0; bit < 8 * file.length; bit++) {
    const altered = Uint8Array.from(file);
    altered[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const found = await read(altered);
      const indices = (entries: readonly Entry[]) =>
        entries.map(({ name, length, crc }) => [name, length, crc]);
      assert.deepEqual(indices(found), indices(ENTRIES));
      numUnnoticed++;
    } catch (error) {
      assert.ok(isDamage(error, /x\.ardm (is damaged|is no file|has format)|max-size/), String(error));
    }
  }
  assert.equal(numUnnoticed, inBodies);
});

test('something after the end, and an entry left out, repeated or from another file, are refused', async () => {
  const file = await containerOf(ENTRIES);
  await assert.rejects(read(Buffer.concat([file, bytes(0)])), (e) =>
    isDamage(e, /something follows its end/),
  );
  const header = (await containerOf([])).length - 1;
  const ends = ENTRIES.reduce((ends, entry) => [...ends, ends.at(-1)! + sizeOf(entry)], [header]);
  const part = (i: number, of: Uint8Array = file) => of.subarray(ends[i], ends[i + 1]);
  const other = await containerOf(ENTRIES, madeUpCoder({ modelHash: '1'.repeat(64) }));
  const altered = (e: unknown) => isDamage(e, /the index of file \d has been altered/);
  const start = file.subarray(0, header);
  await assert.rejects(read(Buffer.concat([start, part(1), part(2), part(3), bytes(0)])), altered);
  await assert.rejects(read(Buffer.concat([start, part(0), part(0), bytes(0)])), altered);
  await assert.rejects(read(Buffer.concat([start, part(0, other), bytes(0)])), altered);
  await read(Buffer.concat([start, part(0), part(1), bytes(0)]));
});

/** A file of one index with the right sum. */
async function withIndex(index: ByteWriter): Promise<Buffer> {
  const start = (await containerOf([])).subarray(0, -1);
  const block = index.finish();
  const seal = crc32c(block, start.readUInt32LE(start.length - 4));
  return Buffer.concat([start, new ByteWriter().sized(block).word(seal).finish(), bytes(0)]);
}

test('numbers that ask for gigabytes are refused before memory is taken', async () => {
  const [PNG, HUGE] = [2, 2 ** 52];
  const of = (length: number, method: number) =>
    new ByteWriter().text('x').number(length).word(0).number(method);
  const cases: [ByteWriter, RegExp][] = [
    [of(HUGE, 0), /x is to have 4503599627370496 bytes, and 1000 are left of what --max-size allows/],
    [of(1001, 1).number(3), /x is to have 1001 bytes/],
    [of(1000, 1).number(HUGE), /has 4503599627370496 packed bytes for a file of 1000/],
    [of(1000, 1).number(1000), /cut off: 999 of 1000 bytes are missing/],
    [of(1000, PNG).number(HUGE), /examples passed over of 4503599627370496/],
    [of(1000, PNG).number(0).number(HUGE), /ends 4503599627370496 bytes too early/],
    [of(1000, PNG).number(0).number(0).number(HUGE).number(0), /has 4503599627370496 packed bytes/],
    [of(1000, PNG).number(0).number(0).number(0).number(HUGE), /a number of examples of 4503599627370496/],
    [
      of(1000, PNG)
        .number(0)
        .number(0)
        .number(0)
        .number(2 ** 22),
      /ends 1 bytes too early/,
    ],
    [of(1000, PNG).number(0).number(0).number(0).number(1).number(HUGE), /packed bytes for a file of 1000/],
    [of(1000, 99), /a method of 99/],
    [of(10, 1).number(0).number(0), /has 1 bytes too many/],
  ];
  for (const [index, message] of cases)
    await assert.rejects(
      read(await withIndex(index), 64, 1000),
      (e) => isDamage(e, message),
      String(message),
    );
});

test('a block that would be larger than any is refused, and a stream without end is not read to it', async () => {
  const start = (await containerOf([])).subarray(0, -1);
  async function* endless() {
    yield Buffer.concat([start, new ByteWriter().number(2 ** 40).finish()]);
    for (;;) yield new Uint8Array(2 ** 16);
  }
  const { entries } = await openContainer(new ByteSource('x.ardm', endless()));
  await assert.rejects(
    all(entries),
    /the index of file 0 is to have 1099511627776 bytes, more than 268435456/,
  );
});

test('two files of one name, another format and another file are told apart', async () => {
  const two = await containerOf([ENTRIES[0]!, ENTRIES[0]!]);
  await assert.rejects(read(two), (e) => isDamage(e, /it has two files called empty/));
  const newer = await containerOf(ENTRIES);
  newer[4] = 2;
  await assert.rejects(read(newer), /x\.ardm has format 2, and this ardm reads format 1: use the version/);
  await assert.rejects(read(Buffer.from('\x89PNG\r\n\x1a\n')), /x\.ardm is no file that ardm compress wrote/);
});

test('all files together have to stay below the limit', async () => {
  const file = await containerOf(ENTRIES);
  await read(file, 64, 300 + 99 + 999);
  await assert.rejects(read(file, 64, 300 + 99 + 998), /b\.idx is to have 999 bytes, and 998 are left/);
});
