import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sizeOf } from '../../shared/compression/container.js';
import { CompressionError } from '../../shared/compression/error.js';
import { noise } from '../data/archives.js';
import { containerOf, entriesOf, filesOf } from './files.js';
import { covered, madeUpCoder, SIZE } from './made-up.js';

const methodsOf = (entries: Awaited<ReturnType<typeof entriesOf>>) => entries.map(({ method }) => method);

const FILES = {
  'one.m': covered([1]),
  'text.txt': Buffer.from('the cat sat on the mat and '.repeat(20)),
  'many.m': covered([2, 3, 4, 5, 6, 7, 8], 100),
  empty: new Uint8Array(),
  noise: noise(500),
  'two.m': covered([9, 9]),
};

const buffers = (files: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)]));

test('each file goes the way that is shortest, and comes back byte for byte', async () => {
  const entries = await entriesOf(FILES);
  assert.deepEqual(methodsOf(entries), ['bytes', 'brotli', 'bytes', 'stored', 'stored', 'bytes']);
  assert.deepEqual(await filesOf(await containerOf(entries)), buffers(FILES));
});

test('any files come back, however they are grouped', async () => {
  const file = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc
      .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 9 })
      .map((numbers) => covered(numbers)),
    fc
      .tuple(fc.array(fc.nat(255), { minLength: 1, maxLength: 5 }), fc.nat(80))
      .map(([n, length]) => covered(n, length)),
    fc.uint8Array({ minLength: 20, maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from('M'), bytes])),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 8 }),
      fc.integer({ min: 1, max: 300 }),
      async (files, groupBytes) => {
        const named = Object.fromEntries(files.map((bytes, i) => [`file ${i}`, bytes]));
        const packed = await containerOf(await entriesOf(named, { groupBytes }));
        const back = await filesOf(packed, madeUpCoder(), 2 ** 20, 301 - groupBytes);
        assert.deepEqual(back, buffers(named));
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

test('examples of several files share batches, to encode, to verify and to decode', async () => {
  const coder = madeUpCoder();
  const packed = await containerOf(await entriesOf(FILES, { coder }));
  const batches = [
    { first: 0, count: 4 },
    { first: 4, count: 4 },
    { first: 8, count: 2 },
  ];
  const callsOf = (what: 'encode' | 'decode') => batches.map((batch) => ({ what, ...batch }));
  assert.deepEqual(coder.calls, [...callsOf('encode'), ...callsOf('decode')]);
  const other = madeUpCoder();
  await filesOf(packed, other);
  assert.deepEqual(other.calls, callsOf('decode'));
});

test('without verification nothing is decoded', async () => {
  const coder = madeUpCoder();
  await entriesOf(FILES, { coder, verify: false });
  assert.ok(coder.calls.every(({ what }) => what === 'encode'));
});

test('it is told beforehand how many batches there will be', async () => {
  const numBatches: number[] = [];
  const onBatches = (number: number) => numBatches.push(number);
  const coder = madeUpCoder();
  await entriesOf(FILES, { coder, groupBytes: 200, onBatches });
  assert.equal(
    coder.calls.length,
    numBatches.reduce((a, b) => a + b),
  );
  assert.ok(numBatches.length > 1);
});

test('a file that the model would not give back, or only larger, goes without it, and those after it keep their places', async () => {
  const good = madeUpCoder();
  // Place 1 is decoded wrongly; place 3 not at all.
  for (const wrong of ['other bytes', 'no message']) {
    const coder = madeUpCoder({
      async decode(first, streams, absent) {
        const examples = await good.decode(first, streams, absent);
        if (first === 0 && streams[1]!.length > 0 && wrong === 'no message')
          throw new CompressionError('example 1 is no message');
        if (first === 0 && streams.length > 1) examples[SIZE]! ^= 1;
        return examples;
      },
    });
    const files = { a: covered([1]), b: covered([2, 3]), c: covered([4, 5, 6, 7]), d: covered([8]) };
    const mistakes: string[] = [];
    const onMistake = (name: string) => mistakes.push(name);
    const entries = await entriesOf(files, { coder, onMistake });
    if (wrong === 'other bytes') assert.deepEqual(mistakes, ['b']);
    else assert.deepEqual(mistakes, ['a', 'b']);
    assert.ok(
      methodsOf(entries)
        .slice(2)
        .every((method) => method === 'bytes'),
    );
    assert.ok(
      !methodsOf(entries)
        .slice(mistakes.length === 1 ? 1 : 0, 2)
        .includes('bytes'),
    );
    assert.deepEqual(await filesOf(await containerOf(entries)), buffers(files));
  }
  const longer = { x: Buffer.from('M' + 'aaaa'.repeat(100)), y: covered([1, 2]) };
  const entries = await entriesOf(longer);
  assert.deepEqual(methodsOf(entries), ['brotli', 'bytes']);
  assert.deepEqual(await filesOf(await containerOf(entries)), longer);
});

test('no file takes more than its own bytes, its name and 14 bytes', async () => {
  for (const bytes of Object.values({ ...FILES, large: noise(100_000), m: Buffer.from('Mxyz') })) {
    const [entry] = await entriesOf({ name: bytes });
    assert.ok(sizeOf(entry!) <= bytes.length + 'name'.length + 14, `${sizeOf(entry!)} of ${bytes.length}`);
  }
});

test('a file that comes back otherwise is not given: another model, plan or place, or damage', async () => {
  const packed = await containerOf(await entriesOf({ a: covered([1]), b: covered([2, 3, 4]) }));
  const plan = { ...madeUpCoder().plan, seed: 8 };
  await assert.rejects(
    filesOf(packed, madeUpCoder({ plan })),
    (error) =>
      error instanceof CompressionError &&
      error.message ===
        'a does not come back as it was, and is not written: x.ardm is damaged, or the model computes otherwise here than where it was written',
  );
  const rest = Buffer.from(packed);
  rest[rest.indexOf('48', rest.length - 6)] = 0x35;
  await assert.rejects(filesOf(rest), /the rest is damaged/);
  const stream = Buffer.from(packed);
  stream[stream.length - 2]! ^= 1;
  await assert.rejects(filesOf(stream), /^CompressionError: b does not come back as it was/);
  const plain = await containerOf(await entriesOf({ a: noise(100) }));
  plain[plain.length - 5]! ^= 4;
  await assert.rejects(
    filesOf(plain),
    /a does not come back as it was, and is not written: x\.ardm is damaged$/,
  );
});

test('a file of few bytes that unpacks to more than it says is refused', async () => {
  const [entry] = await entriesOf({ zeros: new Uint8Array(2 ** 20) });
  assert.ok(sizeOf(entry!) < 100);
  const lying = { ...entry!, length: 1000 };
  await assert.rejects(filesOf(await containerOf([lying])), /x\.ardm is damaged: zeros can't be unpacked/);
});

test('examples that would take more than the limit are refused before they are decoded', async () => {
  const [entry] = await entriesOf({ x: covered([1, 2, 3, 4, 5, 6, 7, 8]) });
  const coder = madeUpCoder();
  const lying = { ...entry!, length: 40 };
  await assert.rejects(
    filesOf(await containerOf([lying]), coder, 100),
    /8 examples of 16 variables, more than/,
  );
  assert.equal(coder.calls.length, 0);
});

test('a place far away costs one batch', async () => {
  const entries = await entriesOf({ a: covered([1]), b: covered([2]) });
  const far = entries.map((entry) => ('skipped' in entry ? { ...entry, skipped: 2 ** 32 - 3 } : entry));
  const coder = madeUpCoder();
  await assert.rejects(filesOf(await containerOf(far), coder), /a does not come back as it was/);
  assert.ok(coder.calls.length <= 2);
});
