import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decoder } from '../../shared/coding/decoder.js';
import { CodingError } from '../../shared/coding/error.js';
import { TOTAL, type NumStreams } from '../../shared/coding/format.js';
import { encodeSymbols } from '../../shared/coding/symbols.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { bitsOf, messages, numStreams } from './distributions.js';
import { plainEncode, type Interval } from './plain-rans.js';

function encode(symbols: readonly Interval[], streams: NumStreams = 1): Uint8Array {
  const starts = Uint32Array.from(symbols, ({ start }) => start);
  return encodeSymbols(
    starts,
    Uint32Array.from(symbols, ({ frequency }) => frequency),
    streams,
  );
}

function drawn(count: number, numClasses: number): Interval[] {
  const random = stream(1, PURPOSE.sample, count, numClasses);
  const frequency = TOTAL / numClasses;
  return Array.from({ length: count }, () => ({ start: random.below(numClasses) * frequency, frequency }));
}

/** What the bytes hold, were they a message of symbols of all these distributions: an interval, the slots before it, those after. */
function decode(bytes: Uint8Array, distributions: readonly Interval[], streams: NumStreams): Interval[] {
  const decoder = new Decoder(bytes, streams);
  const symbols = distributions.map(({ start, frequency }) => {
    const slot = decoder.peek();
    const before = { start: 0, frequency: start };
    const after = { start: start + frequency, frequency: TOTAL - start - frequency };
    const symbol = slot < start ? before : slot >= start + frequency ? after : { start, frequency };
    decoder.take(symbol.start, symbol.frequency);
    return symbol;
  });
  decoder.finish();
  return symbols;
}

test('messages of any distributions come back, and are the bytes that the format says', () => {
  fc.assert(
    fc.property(messages, numStreams, (symbols, streams) => {
      const bytes = encode(symbols, streams);
      assert.deepEqual(bytes, plainEncode(symbols, streams));
      assert.deepEqual(decode(bytes, symbols, streams), symbols);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a message of more than one chunk comes back from any number of streams', () => {
  for (const streams of [1, 2, 4] as const)
    for (const count of [16_384, 16_385, 40_003]) {
      const symbols = drawn(count, 65_536);
      const bytes = encode(symbols, streams);
      assert.deepEqual(bytes, plainEncode(symbols, streams));
      assert.deepEqual(decode(bytes, symbols, streams), symbols);
    }
});

test('what is certain takes no bytes, nor does no symbol', () => {
  const certain = Array.from({ length: 20_000 }, () => ({ start: 0, frequency: TOTAL }));
  for (const streams of [1, 2, 4] as const) {
    assert.equal(encode([], streams).length, 0);
    assert.equal(encode(certain, streams).length, 0);
    decode(new Uint8Array(), certain, streams);
  }
});

test('a message takes 16 bits, a byte and 5 bits a further stream more than its information', () => {
  for (const streams of [1, 2, 4] as const) {
    const overheads = Array.from({ length: 40 }, (_, nth) => {
      const symbols = drawn(3072 + nth, 256);
      return 8 * encode(symbols, streams).length - bitsOf(symbols);
    });
    assert.ok(overheads.reduce((a, b) => a + b) / overheads.length < 22 + 5.5 * (streams - 1));
    assert.ok(Math.max(...overheads) < 50);
  }
});

test('a symbol without a frequency, or beyond the total, is named', () => {
  const certain = { start: 0, frequency: TOTAL };
  for (const wrong of [
    { start: 5, frequency: 0 },
    { start: 1, frequency: TOTAL },
    { start: TOTAL, frequency: 1 },
    { start: 2 ** 32 - 1, frequency: 2 },
  ])
    assert.throws(() => encode([certain, certain, wrong]), {
      name: 'CodingError',
      message: /^Symbol 2 can't be coded: frequency \d+ from \d+ on is not 1 or more within 16777216\.$/,
    });
  encode([certain]);
});

test('bytes of any kind are refused or are exactly what their symbols are coded as', () => {
  let numRefused = 0;
  const check = (bytes: Uint8Array, symbols: readonly Interval[], streams: NumStreams) => {
    try {
      assert.deepEqual(encode(decode(bytes, symbols, streams), streams), bytes);
    } catch (error) {
      if (!(error instanceof CodingError)) throw error;
      numRefused++;
    }
  };
  const damage = fc.record({
    at: fc.nat(),
    by: fc.integer({ min: 1, max: 255 }),
    tail: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(messages, numStreams, damage, (symbols, streams, { at, by, tail }) => {
      const bytes = encode(symbols, streams);
      check(bytes.subarray(0, at % (bytes.length + 1)), symbols, streams);
      check(bytes.subarray(at % (bytes.length + 1)), symbols, streams);
      check(tail, symbols, streams);
      check(Uint8Array.from([...bytes, ...tail]), symbols, streams);
      check(
        bytes.map((byte, nth) => (nth === at % bytes.length ? byte ^ by : byte)),
        symbols,
        streams,
      );
    }),
    { seed: 2, numRuns: 300 },
  );
  assert.ok(numRefused > 500);
});

test('bytes of any kind that symbols as rare as can be use up are what these are coded as, or refused', () => {
  let [numRefused, numMessages] = [0, 0];
  const anyBytes = fc.uint8Array({ maxLength: 60 });
  const withSmallStates = anyBytes.map((bytes) => bytes.map((byte, nth) => (nth % 4 > 0 ? 0 : byte)));
  fc.assert(
    fc.property(fc.oneof(anyBytes, withSmallStates), fc.nat(25), numStreams, (bytes, count, streams) => {
      const symbols: Interval[] = [];
      try {
        const decoder = new Decoder(bytes, streams);
        for (let n = 0; n < count; n++) {
          symbols.push({ start: decoder.peek(), frequency: 1 });
          decoder.take(decoder.peek(), 1);
        }
        decoder.finish();
      } catch (error) {
        if (!(error instanceof CodingError)) throw error;
        numRefused++;
        return;
      }
      numMessages++;
      assert.deepEqual(encode(symbols, streams), bytes);
    }),
    { seed: 4, numRuns: 10_000 },
  );
  assert.ok(numRefused > 1000 && numMessages > 1000);
});

test('a message cut short or with more behind it is refused', () => {
  const numSymbols = 300;
  const symbols = drawn(numSymbols, 256);
  const decodeEqual = (bytes: Uint8Array, count: number, streams: NumStreams) => {
    const decoder = new Decoder(bytes, streams);
    for (let n = 0; n < count; n++) decoder.take(decoder.peek() & ~0xffff, 0x1_0000);
    decoder.finish();
  };
  for (const streams of [1, 2, 4] as const) {
    const bytes = encode(symbols, streams);
    decodeEqual(bytes, numSymbols, streams);
    const refused = (damaged: Uint8Array, count = numSymbols) =>
      assert.throws(() => decodeEqual(damaged, count, streams), CodingError);
    for (let length = 1; length < bytes.length; length++) refused(bytes.subarray(0, length));
    for (const tail of [[0], [0, 0, 0, 0], [1, 2, 3, 4, 5]]) refused(Uint8Array.from([...bytes, ...tail]));
    refused(bytes, numSymbols - 1);
  }
});

test('a first state with a zero byte that need not be there is refused', () => {
  const symbols = [{ start: 3, frequency: 1 }];
  assert.deepEqual(encode(symbols), Uint8Array.of(3));
  decode(Uint8Array.of(3), symbols, 1);
  for (const zeros of [1, 2, 7])
    assert.throws(() => new Decoder(Uint8Array.from([3, ...Array<number>(zeros).fill(0)])), {
      name: 'CodingError',
      message: /its first state begins with a zero byte/,
    });
});

test('messages are decoded beside each other', () => {
  const [one, two] = [drawn(100, 256), drawn(100, 65_536)];
  const decoders = [new Decoder(encode(one)), new Decoder(encode(two, 4), 4)];
  one.forEach((symbol, n) => {
    for (const [nth, { start, frequency }] of [symbol, two[n]!].entries()) {
      const slot = decoders[nth]!.peek();
      assert.ok(slot >= start && slot < start + frequency);
      decoders[nth]!.take(start, frequency);
    }
  });
  decoders.forEach((decoder) => decoder.finish());
});
