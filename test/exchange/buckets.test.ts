import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketBytes, bucketsOf, checksum } from '../../shared/exchange/buckets.js';
import { CHAIN_START, nextLink } from '../../shared/exchange/chain.js';

test('buckets tile the array without gaps, none above the size', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 4, max: 4096 }), (numElements, size) => {
      let end = 0;
      for (const { offset, length } of bucketsOf(numElements, size)) {
        assert.equal(offset, end);
        assert.ok(length > 0 && length * 4 <= Math.max(4, size));
        end += length;
      }
      assert.equal(end, numElements);
    }),
  );
});

test('the bytes of a bucket are a view: what is written there is in the array', () => {
  const values = new Float32Array(new SharedArrayBuffer(40), 8, 8);
  new Float32Array(bucketBytes(values, { offset: 2, length: 1 }).buffer, 8 + 8, 1)[0] = 5;
  assert.equal(values[2], 5);
});

test('float64 values are cut by their own size', () => {
  const values = Float64Array.of(1, NaN, 3);
  const buckets = bucketsOf(values.length, 16, 8);
  assert.deepEqual(buckets, [
    { offset: 0, length: 2 },
    { offset: 2, length: 1 },
  ]);
  const copy = new Float64Array(3);
  for (const bucket of buckets) bucketBytes(copy, bucket).set(bucketBytes(values, bucket));
  assert.deepEqual(copy, values);
});

test('a flipped bit changes the checksum', () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
  const before = checksum(bytes);
  bytes[17]! ^= 4;
  assert.notEqual(checksum(bytes), before);
});

test('a link of the chain depends on every step before it and on each number of the update', () => {
  const link = nextLink(CHAIN_START, 0, [1, 2], { clipFactor: 1, ema: 0.5 });
  assert.match(link, /^[0-9a-f]{64}$/);
  assert.equal(link, nextLink(CHAIN_START, 0, [1, 2], { ema: 0.5, clipFactor: 1 }));
  for (const other of [
    nextLink(link, 0, [1, 2], { clipFactor: 1, ema: 0.5 }),
    nextLink(CHAIN_START, 1, [1, 2], { clipFactor: 1, ema: 0.5 }),
    nextLink(CHAIN_START, 0, [2, 1], { clipFactor: 1, ema: 0.5 }),
    nextLink(CHAIN_START, 0, [1, 2], { clipFactor: 1, ema: 0.5000001 }),
  ]) {
    assert.notEqual(link, other);
  }
});
