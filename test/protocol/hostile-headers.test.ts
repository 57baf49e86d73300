import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { decode, encode, MAX_HEADER_BYTES, ProtocolError } from '../../shared/protocol/codec.js';
import { fromWorkerSchema, toWorkerSchema } from '../../shared/protocol/messages.js';

/** A header of these bytes of msgpack, with the checksum that belongs to them: what a peer makes that knows the rules. */
function withSum(packed: Uint8Array): Uint8Array {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(packed));
  return Buffer.concat([packed, sum]);
}

const nested = (byte: number, depth: number) => Buffer.alloc(depth, byte);

for (const [what, packed] of [
  ['an array of 4 billion that are not there', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ['a map of 4 billion that are not there', Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ['a string of 4 GB that is not there', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ['bytes of 4 GB that are not there', Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ['arrays a million deep', nested(0x91, MAX_HEADER_BYTES - 8)],
  ['maps a million deep', nested(0x81, MAX_HEADER_BYTES - 8)],
  [
    'a record definition',
    Uint8Array.of(0xd4, 0x72, 0x40, 0x91, 0xa4, ...Buffer.from('type'), 0xa5, ...Buffer.from('alive')),
  ],
  ['an extension of no known type', Uint8Array.of(0xc7, 0x01, 0x55, 0x00)],
  ['a date', Uint8Array.of(0xd6, 0xff, 0, 0, 0, 0)],
  ['an empty map', Uint8Array.of(0x80)],
  [
    'a map with a prototype',
    Buffer.concat([Uint8Array.of(0x81, 0xa9), Buffer.from('__proto__'), Uint8Array.of(0x80)]),
  ],
  ['a key that is a map', Uint8Array.of(0x81, 0x80, 0x00)],
] as const) {
  test(`${what} is refused as a header`, { timeout: 10_000 }, () => {
    for (const schema of [fromWorkerSchema, toWorkerSchema])
      assert.throws(() => decode(schema, [withSum(packed)]), ProtocolError);
    assert.equal(({} as { type?: unknown }).type, undefined);
  });
}

test('whatever follows the rules of msgpack and of the checksum is a message of the schema or is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const { header } = decode(fromWorkerSchema, [withSum(bytes)]);
        assert.ok(fromWorkerSchema.safeParse(header).success);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
        assert.ok(error.message.length < 500);
      }
    }),
    { numRuns: 2000, seed: 6 },
  );
});

test('a good header with any value changed for any other is refused or still good', () => {
  const good = { type: 'gradient', term: 1, step: 1, level: 0, index: 0, offset: 0, length: 4, crc: 1 };
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(good)), fc.anything({ maxDepth: 2 }), (field, value) => {
      let parts;
      try {
        parts = encode({ ...good, [field]: value }, [new Uint8Array(16)]);
      } catch {
        return;
      }
      try {
        const { header } = decode(fromWorkerSchema, parts);
        for (const whole of Object.values(header).slice(1))
          assert.ok(Number.isSafeInteger(whole) && Number(whole) >= 0);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000, seed: 6 },
  );
});

test('what a worker says of its GPU is bounded', () => {
  const say = (gpu: unknown) => decode(fromWorkerSchema, encode({ type: 'alive', doing: 'step 1', gpu }));
  assert.deepEqual(say({ use: 1, celsius: 60 }).header, {
    ...{ type: 'alive', doing: 'step 1', gpu: { use: 1, celsius: 60 } },
  });
  assert.doesNotThrow(() => say(undefined));
  for (const gpu of [{ use: 1.1 }, { use: NaN }, { memoryUsed: -1 }, { celsius: 1e9 }, { name: 'x' }, 'hot'])
    assert.throws(() => say(gpu), ProtocolError, JSON.stringify(gpu));
});
