import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CodingError } from '../../shared/coding/error.js';
import { TOTAL, numStreamsFor } from '../../shared/coding/format.js';
import { encodeSymbols } from '../../shared/coding/symbols.js';
import { ClassTables } from '../../shared/coding/tables.js';
import { allocateClasses, type Classes } from '../../shared/method/classes.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { fallingFrequencies, startsOf } from './distributions.js';

/** Classes of which half are drawn uniformly and half are below 4. */
function drawn(count: number, numClasses: number): Classes {
  const random = stream(1, PURPOSE.sample, count, numClasses);
  return allocateClasses(numClasses, count).map(() =>
    random.below(random.below(2) ? numClasses : Math.min(4, numClasses)),
  );
}

/** The tables that the symbols of a message take turns at, in no obvious way. */
const tablesOf = (count: number, numTables: number) =>
  Uint16Array.from({ length: count }, (_, n) => (n * n) % numTables);

function check(frequencies: readonly Uint32Array[], classes: Classes): Uint8Array {
  const numClasses = frequencies[0]!.length;
  const tables = new ClassTables(Uint32Array.from(frequencies.flatMap((table) => [...table])), numClasses);
  const tableOfEach = tablesOf(classes.length, frequencies.length);
  const starts = frequencies.map(startsOf);
  const bytes = tables.encode(classes, tableOfEach);
  assert.deepEqual(tables.decode(bytes, classes.length, tableOfEach), classes);
  const each = (of: readonly Uint32Array[]) =>
    Uint32Array.from(classes, (nth, n) => of[tableOfEach[n]!]![nth]!);
  assert.deepEqual(bytes, encodeSymbols(each(starts), each(frequencies), numStreamsFor(classes.length)));
  return bytes;
}

test('messages of all lengths come back, the same bytes as symbol by symbol', () => {
  const frequencies = [fallingFrequencies(256, 0), fallingFrequencies(256, 1), fallingFrequencies(256, 1e6)];
  for (const count of [0, 1, 2, 1023, 1024, 1027, 16_384, 16_387, 65_535, 65_536, 100_001])
    check(frequencies, drawn(count, 256));
});

test('how many streams a message has is a matter of its length alone', () => {
  assert.deepEqual([0, 1023, 1024, 65_535, 65_536, 10 ** 9].map(numStreamsFor), [1, 1, 2, 2, 4, 4]);
});

test('tables of few and of many classes', () => {
  for (const numClasses of [1, 2, 3, 5, 257, 65_536])
    for (const rate of [0, 0.5, 1e9]) check([fallingFrequencies(numClasses, rate)], drawn(3000, numClasses));
});

test('a long message of a class that is all but certain', () => {
  const classes = new Uint8Array(100_000);
  const frequencies = [fallingFrequencies(256, 1e9)];
  assert.ok(check(frequencies, classes).length < 8);
  assert.ok(check(frequencies, classes.fill(7, 50_000, 50_020)).length < 70);
});

test('all symbols are of the first table unless others are given', () => {
  const frequencies = Uint32Array.from([...fallingFrequencies(256, 1), ...fallingFrequencies(256, 2)]);
  const tables = new ClassTables(frequencies, 256);
  const classes = drawn(5000, 256);
  const others = new Uint16Array(5000).fill(1);
  assert.deepEqual(tables.encode(classes), tables.encode(classes, new Uint16Array(5000)));
  assert.notDeepEqual(tables.encode(classes), tables.encode(classes, others));
  assert.deepEqual(tables.decode(tables.encode(classes), 5000), classes);
});

test('a class or table that is not there is named with its symbol', () => {
  const tables = new ClassTables(fallingFrequencies(3, 1), 3);
  const classes = new Uint8Array(20_000);
  classes[17_000] = 3;
  assert.throws(
    () => tables.encode(classes),
    new CodingError("Symbol 17000 can't be coded: there is no class 3."),
  );
  const tableOfEach = new Uint16Array(20_000);
  tableOfEach[2] = 1;
  const wrong = new CodingError("Symbol 2 can't be coded: there is no table 1.");
  assert.throws(() => tables.encode(new Uint8Array(20_000), tableOfEach), wrong);
  assert.throws(() => tables.decode(new Uint8Array(), 20_000, tableOfEach), wrong);
});

test('a table with a class of frequency 0, or with another sum, is refused', () => {
  const refused = (second: readonly number[], message: string) =>
    assert.throws(
      () => new ClassTables(Uint32Array.of(1, TOTAL - 1, ...second), 2),
      new CodingError(message),
    );
  refused([TOTAL, 0], "Class 1 of table 1 can't be coded: its frequency is 0.");
  refused([TOTAL, 1], 'The frequencies of table 1 sum to 16777217, not to 16777216.');
  refused([1, 1], 'The frequencies of table 1 sum to 2, not to 16777216.');
  refused([2 ** 32 - 1, 1], 'The frequencies of table 1 sum to 4294967296, not to 16777216.');
});

test('bytes of any kind are refused or are exactly what their classes are coded as', () => {
  const tables = new ClassTables(fallingFrequencies(256, 1), 256);
  const bytes = tables.encode(drawn(2000, 256));
  let numRefused = 0;
  const checkBytes = (damaged: Uint8Array) => {
    try {
      assert.deepEqual(tables.encode(tables.decode(damaged, 2000)), damaged);
    } catch (error) {
      if (!(error instanceof CodingError)) throw error;
      numRefused++;
    }
  };
  const [place, change] = [fc.integer({ min: 1, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 })];
  fc.assert(
    fc.property(place, change, fc.uint8Array({ minLength: 1 }), (at, by, any) => {
      checkBytes(bytes.subarray(0, at));
      checkBytes(Uint8Array.from([...bytes, ...any]));
      checkBytes(bytes.map((byte, nth) => (nth === at ? byte ^ by : byte)));
      checkBytes(any);
    }),
    { seed: 3, numRuns: 100 },
  );
  assert.equal(numRefused, 400);
});
