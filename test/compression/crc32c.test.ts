import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../shared/compression/crc32c.js';

test('the examples of RFC 3720 have the sums that stand there', () => {
  const vectors: [bytes: Uint8Array, crc: number][] = [
    [new Uint8Array(), 0],
    [Buffer.from('123456789'), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ];
  for (const [bytes, crc] of vectors) assert.equal(crc32c(bytes), crc);
});

test('a sum goes on where another ended', () => {
  const bytes = Buffer.from('123456789');
  for (let at = 0; at <= bytes.length; at++)
    assert.equal(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))), 0xe3069283);
});
