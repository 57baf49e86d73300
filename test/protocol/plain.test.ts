import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { isPlain } from '../../shared/protocol/plain.js';

const packr = new Packr({ useRecords: false, moreTypes: false, variableMapSize: true });

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true, false),
    fc.integer(),
    fc.double(),
    fc.string({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 20 }),
  ),
})).value;

test('whatever plain value is written is plain, and no part of it or more than it is', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (value, share) => {
      const bytes = packr.pack(value);
      assert.ok(isPlain(bytes));
      assert.ok(!isPlain(bytes.subarray(0, Math.floor(share * (bytes.length - 1)))));
      assert.ok(!isPlain(Buffer.concat([bytes, Uint8Array.of(0)])));
    }),
    { numRuns: 500, seed: 6 },
  );
});

test('long strings, arrays and maps are plain', () => {
  const many = Array.from({ length: 70_000 }, (_, i) => i);
  for (const value of [
    many,
    'x'.repeat(70_000),
    Object.fromEntries(many.map((i) => [`k${i}`, i])),
    many.slice(0, 300),
  ])
    assert.ok(isPlain(packr.pack(value)));
});

test('bytes, extensions, and what nests deeper than any header are not', () => {
  for (const value of [Buffer.from('x'), new Date(0)]) assert.ok(!isPlain(packr.pack({ value })));
  for (const bytes of [[0xd4, 0x72, 0x40, 0x90], [0xd4, 0, 1], [0xd4, 1, 0], [0xc7, 0, 0], [0xc1]])
    assert.ok(!isPlain(Uint8Array.from(bytes)));
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), Uint8Array.of(0)]);
  assert.ok(isPlain(nested(15)));
  assert.ok(!isPlain(nested(16)));
});
