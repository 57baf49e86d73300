import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { philox4x32, PURPOSE, stream } from '../../shared/random/philox.js';

test('Philox4x32-10 gives the known answers of Random123', () => {
  const hex = (words: string) => words.split(' ').map((word) => Number.parseInt(word, 16));
  const known = [
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const;
  for (const [counter, key, answer] of known) {
    const [[a, b, c, d], [k0, k1]] = [hex(counter), hex(key)];
    const words = new Uint32Array(4);
    philox4x32(a!, b!, c!, d!, k0!, k1!, words);
    assert.deepEqual([...words], hex(answer));
  }
});

const word = fc.nat(2 ** 32 - 1);

test('a stream is a function of its four words, and each of them matters', () => {
  const first = (key: readonly [number, number, number, number]) => {
    const random = stream(key[0], key[1] as 0, key[2], key[3]);
    return Array.from({ length: 6 }, () => random.uint32());
  };
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.nat(3), fc.integer({ min: 1 }), (key, which, more) => {
      assert.deepEqual(first(key), first(key));
      const other = [...key] as [number, number, number, number];
      other[which] = (other[which]! + more) >>> 0;
      assert.notDeepEqual(first(key), first(other));
    }),
  );
});

test('purposes are different words', () => {
  assert.equal(new Set(Object.values(PURPOSE)).size, Object.keys(PURPOSE).length);
});

const COUNT = 100_000;
const draws = (draw: (random: ReturnType<typeof stream>) => number) => {
  const random = stream(7, PURPOSE.sample);
  return Array.from({ length: COUNT }, () => draw(random));
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Within five standard errors. */
const assertMean = (values: readonly number[], expected: number, deviation: number) =>
  assert.ok(
    Math.abs(mean(values) - expected) < (5 * deviation) / Math.sqrt(values.length),
    `${mean(values)}`,
  );

test('uniform draws fill [0, 1) evenly', () => {
  const values = draws((random) => random.uniform());
  assert.ok(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 32)));
  assertMean(values, 1 / 2, Math.sqrt(1 / 12));
  assertMean(
    values.map((value) => value ** 2),
    1 / 3,
    Math.sqrt(4 / 45),
  );
});

test('below(n) gives every number below n equally often, also where n does not divide 2^32', () => {
  const n = 3 * 2 ** 30;
  const thirds = [0, 0, 0];
  // Without rejection the first third would come twice as often.
  for (const value of draws((random) => random.below(n))) thirds[Math.floor(value / 2 ** 30)]! += 1;
  for (const count of thirds)
    assert.ok(Math.abs(count - COUNT / 3) < 5 * Math.sqrt(COUNT * (2 / 9)), `${thirds}`);
  const small = new Set(draws((random) => random.below(5)));
  assert.deepEqual([...small].sort(), [0, 1, 2, 3, 4]);
  assert.equal(stream(0, PURPOSE.order).below(1), 0);
});

test('normal draws have the moments of the standard normal', () => {
  const values = draws((random) => random.normal());
  assertMean(values, 0, 1);
  assertMean(
    values.map((value) => value ** 2),
    1,
    Math.sqrt(2),
  );
  assertMean(
    values.map((value) => value ** 4),
    3,
    Math.sqrt(96),
  );
  // The two of a pair are independent.
  assertMean(
    values.flatMap((value, i) => (i % 2 === 0 ? [value * values[i + 1]!] : [])),
    0,
    1,
  );
});

test('Gumbel draws have the mean and variance of the standard Gumbel', () => {
  const values = draws((random) => random.gumbel());
  const euler = 0.5772156649015329;
  const variance = Math.PI ** 2 / 6;
  assertMean(values, euler, Math.sqrt(variance));
  // The fourth central moment is 5.4 squared variances.
  assertMean(
    values.map((value) => (value - euler) ** 2),
    variance,
    variance * Math.sqrt(4.4),
  );
});

test('a Gumbel draw below the least that matters may be -Infinity, and any other is as it is', () => {
  const [exact, bounded] = [stream(1, PURPOSE.sample), stream(1, PURPOSE.sample)];
  let numLess = 0;
  for (let i = 0; i < 20_000; i++) {
    const least = (i % 50) / 5 - 2;
    const [value, found] = [exact.gumbel(), bounded.gumbel(least)];
    if (found === -Infinity) {
      assert.ok(value < least, `${value} is not below ${least}`);
      numLess++;
    } else assert.equal(found, value);
  }
  assert.ok(numLess > 10_000, `only ${numLess} draws were spared`);
});
