import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import {
  encodeHeader,
  headerLength,
  parseHeader,
  SafetensorsError,
  type Header,
} from '../../shared/checkpoint/safetensors.js';
import { packageRoot } from '../../shared/package.js';

function parseFile(bytes: Uint8Array): Header {
  const length = headerLength(bytes.subarray(0, 8), bytes.length);
  return parseHeader(bytes.subarray(8, 8 + length), bytes.length - 8 - length);
}

/** A file with this text as its header. */
function file(header: string | Uint8Array, dataBytes = 0): Uint8Array {
  const json = Buffer.from(header);
  const bytes = Buffer.alloc(8 + json.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(json.length));
  json.copy(bytes, 8);
  return bytes;
}

const tensor = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

const lengthOnly = (length: bigint) => {
  const bytes = Buffer.alloc(32, '{}');
  bytes.writeBigUInt64LE(length);
  return bytes;
};

const HOSTILE: readonly [string, Uint8Array, RegExp][] = [
  ['an empty file', Buffer.alloc(0), /ends after 0 bytes/],
  ['a file that ends in its length', Buffer.alloc(7), /ends after 7 bytes/],
  ['a header longer than the file', lengthOnly(25n), /claims 25 bytes, the file has 32/],
  ['a header longer than allowed', lengthOnly(100_000_001n), /over 100000000/],
  ['a length of all ones', lengthOnly(2n ** 64n - 1n), /claims 18446744073709551615 bytes/],
  ['no header', file(''), /does not begin with \{/],
  ['a list', file('[]'), /does not begin with \{/],
  ['white space first', file(' {}'), /does not begin with \{/],
  ['a byte order mark', file('\ufeff{}'), /does not begin with \{/],
  ['no UTF-8', file(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), /not UTF-8/],
  ['half a header', file('{"a":{"dtype":"F32"'), /not JSON/],
  ['something after the header', file('{}{}'), /not JSON/],
  ['a string that does not end', file('{"a'), /not JSON/],
  ['a colon without a key', file('{:1}'), /not JSON/],
  ['deep nesting', file(`{"a":${'['.repeat(100_000)}`), /nested deeper than 3/],
  ['a tensor twice', file(`{"a":${tensor(0, 4)},"a":${tensor(0, 4)}}`, 4), /has "a" twice/],
  ['a tensor twice, once escaped', file(`{"a":${tensor(0, 4)},"\\u0061":${tensor(0, 4)}}`, 4), /twice/],
  ['a field twice', file('{"a":{"dtype":"F32","dtype":"F32"}}'), /has "dtype" twice/],
  ['metadata that is no object', file('{"__metadata__":["a"]}'), /metadata is no object/],
  ['metadata that is no string', file('{"__metadata__":{"a":1}}'), /metadata "a" is no string/],
  ['metadata of objects', file('{"__metadata__":{"a":{}}}'), /metadata "a" is no string/],
  ['a tensor that is null', file('{"a":null}'), /"a" has no dtype/],
  ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /no shape of whole numbers/],
  ['a negative extent', file(`{"a":${tensor(0, 4, [-1, -1])}}`, 4), /no shape of whole numbers/],
  ['a fractional extent', file(`{"a":${tensor(0, 4, [0.5, 2])}}`, 4), /no shape of whole numbers/],
  ['an extent in words', file(`{"a":${tensor(0, 4, ['1'])}}`, 4), /no shape of whole numbers/],
  ['a shape that overflows', file(`{"a":${tensor(0, 4, [2 ** 40, 2 ** 40])}}`, 4), /too large to count/],
  ['one that wraps round to 1', file(`{"a":${tensor(0, 4, [2 ** 32, 2 ** 32, 1])}}`, 4), /too large/],
  ['an unknown dtype', file(`{"a":${tensor(0, 4, [1], 'F31')}}`, 4), /unknown dtype "F31"/],
  ['a dtype of Object', file(`{"a":${tensor(0, 4, [1], 'constructor')}}`, 4), /unknown dtype/],
  ['another dtype than its bytes', file(`{"a":${tensor(0, 4, [1], 'F64')}}`, 4), /takes 8 bytes/],
  ['one offset', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', 4), /no pair of data_offsets/],
  ['offsets the wrong way round', file(`{"a":${tensor(4, 0, [1])}}`, 4), /takes 4 bytes/],
  ['a gap at the start', file(`{"a":${tensor(4, 8)}}`, 8), /begins at byte 4, not at the end/],
  ['a gap', file(`{"a":${tensor(0, 4)},"b":${tensor(8, 12)}}`, 12), /"b" begins at byte 8, not at the end/],
  ['an overlap', file(`{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`, 12), /"b" begins at byte 4, inside/],
  ['the same bytes twice', file(`{"a":${tensor(0, 4)},"b":${tensor(0, 4)}}`, 4), /inside the one before/],
  ['a tensor past the end', file(`{"a":${tensor(0, 8)}}`, 4), /end at byte 8, its data at 4/],
  ['bytes of no tensor', file(`{"a":${tensor(0, 4)}}`, 8), /end at byte 4, its data at 8/],
  ['bytes and no tensors', file('{}', 1), /end at byte 0, its data at 1/],
];

for (const [what, bytes, reason] of HOSTILE) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parseFile(bytes),
      (error) => error instanceof SafetensorsError && reason.test(error.message),
    );
  });
}

test('what a file says is cut short and escaped in messages', () => {
  const name = `\\u001b[2J${'x'.repeat(1e6)}`;
  assert.throws(
    () => parseFile(file(`{"${name}":${tensor(0, 4, Array(1e5).fill(2))}}`)),
    ({ message }: Error) => message.length < 300 && !message.includes('\x1b'),
  );
});

test('a header reads back as it was written, its tensors on 8-byte bounds', () => {
  const tensors = [
    { name: 'a/"quoted"/ü', dtype: 'F32', shape: [2, 3] },
    { name: '__proto__', dtype: 'U8', shape: [] },
    { name: '1', dtype: 'F64', shape: [0, 7] },
  ];
  for (const metadata of [{}, { step: '4' }, { step: '4', array: 'ema' }] as Record<string, string>[]) {
    const bytes = encodeHeader(tensors, metadata);
    assert.equal(bytes.length % 8, 0);
    const header = parseFile(Buffer.concat([bytes, Buffer.alloc(25)]));
    assert.deepEqual(
      header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      tensors,
    );
    assert.deepEqual(
      header.tensors.map(({ begin, end }) => [begin, end]),
      [
        [0, 24],
        [24, 25],
        [25, 25],
      ],
    );
    assert.deepEqual(Object.fromEntries(header.metadata), metadata);
  }
});

test('tensors may stand in any order in the header', () => {
  const { tensors } = parseFile(
    file(`{"b":${tensor(4, 12)},"none":${tensor(4, 4)},"a":${tensor(0, 4)}}  `, 12),
  );
  assert.deepEqual(
    tensors.map(({ name }) => name),
    ['a', 'none', 'b'],
  );
});

test('files that another writer made are read', () => {
  const folder = path.join(packageRoot, 'test', 'fixtures');
  const names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  assert.ok(names.length > 0);
  for (const name of names) {
    const bytes = readFileSync(path.join(folder, name));
    assert.ok(parseFile(bytes).tensors.length > 0, name);
  }
});

test('whatever the bytes are, they are read or refused by a rule', () => {
  const whole = Buffer.concat([
    encodeHeader([{ name: 'a', dtype: 'F32', shape: [2] }], { step: '4' }),
    Buffer.alloc(8),
  ]);
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (changes, length) => {
      const bytes = Buffer.from(whole);
      for (const { at, byte } of changes) bytes[at] = byte;
      try {
        parseFile(bytes.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof SafetensorsError, String(error));
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});
