import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../shared/compression/byte-writer.js';
import { CompressionError } from '../../shared/compression/error.js';
import { markOf, readHeader, writeHeader, type Header } from '../../shared/compression/header.js';
import { naivePolicy } from '../../shared/method/policy.js';

const HEADER: Header = {
  version: '0.1.0',
  model: '0123456789abcdef',
  engine: { kind: 'exact', digest: '89abcdef' },
  plan: { policy: naivePolicy(784, 784), seed: 1, batch: 16 },
};

test('any header comes back', () => {
  const policy = fc
    .array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 60 })
    .map((distances) => Int32Array.from([0, ...distances].map((_, j, all) => sum(all.slice(0, j + 1)))));
  const hex = (length: number) =>
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => Buffer.from(bytes).toString('hex'));
  const engine = fc.oneof(
    hex(4).map((digest) => ({ kind: 'exact' as const, digest })),
    fc.string().map((text) => ({ kind: 'fast' as const, fingerprint: text.replace(/\p{Cc}/gu, '') })),
  );
  const plan = fc.record({
    policy,
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    batch: fc.integer({ min: 1, max: 2 ** 16 }),
  });
  const header = fc.record({ version: fc.constant('1.2.3-beta'), model: hex(8), engine, plan });
  fc.assert(
    fc.property(header, (header) =>
      assert.deepEqual(readHeader(writeHeader(header), 'x'), structuredClone(header)),
    ),
    { seed: 1, numRuns: 200 },
  );
});

test('a header takes few bytes, with all calls or some', () => {
  const bytes = (policy: Int32Array) => writeHeader({ ...HEADER, plan: { ...HEADER.plan, policy } }).length;
  assert.equal(bytes(naivePolicy(784, 784)), 25);
  assert.ok(bytes(naivePolicy(784, 20)) <= 45, `${bytes(naivePolicy(784, 20))}`);
  assert.equal(bytes(naivePolicy(3072, 3072, 8)), 26);
});

test('engines that differ in anything have other marks', () => {
  const exact = { kind: 'exact', runtime: 'a 1', wasm: 'b', graph: 'c' } as const;
  const others = [exact, { ...exact, runtime: 'a 2' }, { ...exact, wasm: 'd' }, { ...exact, graph: 'd' }];
  assert.equal(new Set(others.map((each) => JSON.stringify(markOf(each)))).size, 4);
});

test('a header that can’t be is refused, saying why', () => {
  const start = () => new ByteWriter().text('1').bytes(new Uint8Array(8)).number(0).bytes(new Uint8Array(4));
  const cases: [ByteWriter, RegExp][] = [
    [new ByteWriter(), /^x ends 1 bytes too early/],
    [new ByteWriter().sized(Uint8Array.of(0xff)), /a version that is no UTF-8/],
    [new ByteWriter().text('\x1b[2J'), /a version with control characters/],
    [new ByteWriter().text('1').bytes(new Uint8Array(8)).number(2), /a kind of engine of 2, more than 1/],
    [start().number(2 ** 32), /a seed of 4294967296/],
    [start().number(1).number(0), /a batch of no examples/],
    [
      start()
        .number(1)
        .number(2 ** 17),
      /a batch of 131072/,
    ],
    [start().number(1).number(1).number(0), /no network calls/],
    [
      start()
        .number(1)
        .number(1)
        .number(2 ** 40),
      /a number of network calls of 1099511627776/,
    ],
    [start().number(1).number(1).number(2).number(0).number(0), /network calls that do not follow/],
    [start().number(1).number(1).number(3).number(0).number(1), /x ends 1 bytes too early/],
    [start().number(1).number(1).number(2).number(0).number(1).number(1), /x has 1 bytes too many/],
    [start().number(1).number(1).number(2).number(1).sized(Uint8Array.of(1)), /steps that can’t be unpacked/],
    [start().number(1).number(1).number(1).number(0).number(0), /x has 1 bytes too many/],
  ];
  for (const [writer, message] of cases)
    assert.throws(
      () => readHeader(writer.finish(), 'x'),
      (error) => error instanceof CompressionError && message.test(error.message),
      String(message),
    );
});

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
