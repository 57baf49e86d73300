import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, encode, MAX_HEADER_BYTES, ProtocolError } from '../../shared/protocol/codec.js';
import { fromWorkerSchema, toWorkerSchema } from '../../shared/protocol/messages.js';

const bucket = { type: 'gradient', term: 7, step: 12, level: 0, index: 1, offset: 0, length: 3 } as const;
const applied = { type: 'applied', term: 7, step: 12, hash: 'ab' } as const;

test('a header and its frames come back as they went', () => {
  const frame = Uint8Array.of(1, 2, 3);
  const { header, frames } = decode(fromWorkerSchema, encode(applied, [frame]));
  assert.deepEqual(header, applied);
  assert.equal(frames[0], frame, 'frames are not copied');
});

test('numbers of an update travel exactly', () => {
  const update = {
    step: 3,
    clipFactor: 0.1 + 0.2,
    learningRate: 1 / 3,
    correction1: Math.PI,
    correction2: 1e-300,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    ema: 0.9999,
  };
  const commit = {
    type: 'commit',
    term: 1,
    step: 3,
    update,
    chain: 'c',
    crcs: [1, 2] as [number, number],
    hash: false,
  } as const;
  assert.deepEqual(decode(toWorkerSchema, encode(commit)).header, commit);
});

for (const [what, header] of [
  ['of an unknown type', { type: 'format-disk' }],
  ['that lacks a field', { type: 'ready', term: 1 }],
  ['with a field too many', { ...applied, extra: 1 }],
  ['with a negative step', { ...applied, step: -1 }],
  ['with a fractional step', { ...applied, step: 1.5 }],
  ['with a string for a number', { ...applied, step: '12' }],
  ['that is no map', ['applied']],
] as const) {
  test(`a header ${what} is refused`, () => {
    assert.throws(() => decode(fromWorkerSchema, encode(header as object)), ProtocolError);
  });
}

test('sizes are checked before anything is decoded', () => {
  assert.throws(() => decode(fromWorkerSchema, []), /0 frames/);
  assert.throws(() => decode(fromWorkerSchema, Array(9).fill(Uint8Array.of(1))), /9 frames/);
  assert.throws(() => decode(fromWorkerSchema, [new Uint8Array(MAX_HEADER_BYTES + 1)]), /bytes/);
});

test('random bytes never get through and never throw anything but a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(() => decode(fromWorkerSchema, [bytes]), ProtocolError);
    }),
    { numRuns: 500 },
  );
});

test('a bit that flips on the way is noticed: in the header, and in frames whose checksum it does not tell', () => {
  const messages = [
    { parts: encode(applied, [Uint8Array.of(1, 2, 3)]), numWatched: 2 },
    { parts: encode({ ...bucket, crc: 7 }, [Uint8Array.of(1, 2, 3)]), numWatched: 1 },
  ];
  for (const { parts, numWatched } of messages)
    for (const [nth, frame] of parts.slice(0, numWatched).entries())
      for (let bit = 0; bit < 8 * frame.length; bit++) {
        const damaged = parts.map((part) => Uint8Array.from(part));
        damaged[nth]![bit >> 3]! ^= 1 << (bit & 7);
        assert.throws(() => decode(fromWorkerSchema, damaged), ProtocolError, `frame ${nth}, bit ${bit}`);
      }
  assert.deepEqual(decode(fromWorkerSchema, messages[1]!.parts).header, { ...bucket, crc: 7 });
});
