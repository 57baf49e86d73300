import assert from 'node:assert/strict';
import test from 'node:test';
import { Extension, MessagePackError, parseMessagePack } from '../../shared/checkpoint/message-pack.js';

const parse = (...bytes: (number | string | Uint8Array)[]) =>
  parseMessagePack(
    Buffer.concat(bytes.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : Buffer.from(part)))),
  );

test('numbers of every width are read', () => {
  const cases: [number, number[]][] = [
    [127, [0x7f]],
    [-32, [0xe0]],
    [200, [0xcc, 200]],
    [0x1234, [0xcd, 0x12, 0x34]],
    [0xfedcba98, [0xce, 0xfe, 0xdc, 0xba, 0x98]],
    [2 ** 40 + 3, [0xcf, 0, 0, 1, 0, 0, 0, 0, 3]],
    [-100, [0xd0, 156]],
    [-2, [0xd1, 0xff, 0xfe]],
    [-3, [0xd2, 0xff, 0xff, 0xff, 0xfd]],
    [-4, [0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc]],
    [1.5, [0xca, 0x3f, 0xc0, 0, 0]],
    [-2.25, [0xcb, 0xc0, 2, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [value, bytes] of cases) assert.equal(parse(...bytes), value);
});

test('lengths of every width are read', () => {
  const long = 'x'.repeat(300);
  const bytes = new Uint8Array(300).fill(9);
  for (const length of [[0xd9, 3], [0xda, 0, 3], [0xdb, 0, 0, 0, 3], [0xa3]])
    assert.equal(parse(...length, 'abc'), 'abc');
  assert.equal(parse(0xda, 1, 44, long), long);
  for (const length of [
    [0xc5, 1, 44],
    [0xc6, 0, 0, 1, 44],
  ])
    assert.deepEqual(Buffer.from(parse(...length, bytes) as Uint8Array), Buffer.from(bytes));
  for (const length of [[0x92], [0xdc, 0, 2], [0xdd, 0, 0, 0, 2]])
    assert.deepEqual(parse(...length, 0xc3, 0xc0), [true, null]);
  for (const length of [[0x81], [0xde, 0, 1], [0xdf, 0, 0, 0, 1]])
    assert.deepEqual(parse(...length, 0xa9, '__proto__', 0xc2), new Map([['__proto__', false]]));
  for (const [length, count] of [
    [[0xd4], 1],
    [[0xd6], 4],
    [[0xc7, 3], 3],
    [[0xc9, 0, 0, 0, 3], 3],
  ] as const) {
    const value = parse(...length, 0xff, bytes.subarray(0, count));
    assert.ok(value instanceof Extension);
    assert.deepEqual([value.type, value.data.length], [-1, count]);
  }
});

test('what is no MessagePack is refused with its place', () => {
  const refused = (bytes: (number | string)[], message: RegExp) =>
    assert.throws(
      () => parse(...bytes),
      (error) => error instanceof MessagePackError && message.test(error.message),
    );
  refused([], /^it is truncated: 1 bytes from byte 0 on are missing/);
  refused([0xa5, 'abc'], /^it is truncated: 5 bytes from byte 1 on .* it has 4$/);
  refused([0xdf, 0xff, 0xff, 0xff, 0xff], /truncated/);
  refused([0x92, 1, 0xc1], /^byte 2 is 193, which begins no value$/);
  refused([1, 2, 3], /^its value ends at byte 1, but it has 3 bytes$/);
  refused([0x82, 0xa1, 'a', 1, 0xa1, 'a', 2], /^the key at byte 4 is no string, or there twice$/);
  refused([0x81, 7, 1], /^the key at byte 1 /);
  assert.throws(
    () => parse(0xa1, Uint8Array.of(0xff)),
    /^MessagePackError: the text at byte 1 is not UTF-8$/,
  );
  assert.throws(() => parse(new Uint8Array(1e6).fill(0x91)), /nested deeper than 100/);
});
