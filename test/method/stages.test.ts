import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createStageMap, type StageMap } from '../../shared/method/stages.js';

const zero = (numClasses: number, base: number) => createStageMap('zero', numClasses, base);
const augment = (numClasses: number, base: number) => createStageMap('augment', numClasses, base);

/** Past, future of every generative stage, the first one first. */
function generated(map: StageMap, x: number): [number, number][] {
  const { numStages } = map;
  return Array.from({ length: numStages }, (_, s) => [
    map.coarsen(x, numStages - s),
    map.coarsen(x, numStages - 1 - s),
  ]);
}

/** What generative stage s chooses: floor(x / b^r) mod b. */
const digits = (map: StageMap, x: number) =>
  generated(map, x).map(([past, future], s) => (future - past) / map.base ** (map.numStages - 1 - s));

test('173 is generated from its most significant digit on', () => {
  const chains: [number, number[]][] = [
    [2, [0, 128, 128, 160, 160, 168, 172, 172, 173]],
    [4, [0, 128, 160, 172, 173]],
    [8, [0, 128, 168, 173]],
    [16, [0, 160, 173]],
    [256, [0, 173]],
  ];
  for (const [base, chain] of chains)
    assert.deepEqual(
      generated(zero(256, base), 173),
      chain.slice(1).map((future, s) => [chain[s], future]),
      `base ${base}`,
    );
  assert.deepEqual(digits(zero(256, 2), 173), [1, 0, 1, 0, 1, 1, 0, 1]);
});

test('16-bit 40000 falls into its digits', () => {
  assert.deepEqual(generated(zero(65536, 256), 40000), [
    [0, 39936],
    [39936, 40000],
  ]);
  assert.deepEqual(digits(zero(65536, 256), 40000), [156, 64]);
  assert.deepEqual(digits(zero(65536, 16), 40000), [9, 12, 4, 0]);
  assert.deepEqual(digits(zero(65536, 4), 40000), [2, 1, 3, 0, 1, 0, 0, 0]);
});

test('each destruction step of 8 classes by base 2 zeroes one more digit', () => {
  const map = zero(8, 2);
  const levels = [0, 1, 2, 3].map((r) => Array.from({ length: 8 }, (_, x) => map.coarsen(x, r)));
  assert.deepEqual(levels, [
    [0, 1, 2, 3, 4, 5, 6, 7],
    [0, 0, 2, 2, 4, 4, 6, 6],
    [0, 0, 0, 0, 4, 4, 4, 4],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

test('stages are counted without logarithms', () => {
  // In floating point log 125 / log 5 and log 216 / log 6 come out above 3.
  for (const [numClasses, base, numStages] of [
    [125, 5, 3],
    [216, 6, 3],
    [126, 5, 4],
    [256, 8, 3],
    [65536, 2, 16],
    [2, 2, 1],
    [28, 28, 1],
  ] as const)
    assert.equal(zero(numClasses, base).numStages, numStages, `${numClasses} by ${base}`);
});

test('augmented levels have classes of their own, down to the one absorbing class', () => {
  for (const [numClasses, base, all] of [
    [256, 2, 511],
    [256, 4, 341],
    [256, 16, 273],
    [8, 2, 15],
    [10, 4, 10 + 3 + 1],
  ] as const) {
    const map = augment(numClasses, base);
    assert.deepEqual([map.numInputClasses, map.absorbing], [all, all - 1], `${numClasses} by ${base}`);
  }
  assert.deepEqual(generated(augment(256, 4), 173), [
    [340, 338],
    [338, 330],
    [330, 299],
    [299, 173],
  ]);
});

test('letters become vowels and consonants, y among the latter, space and the reserved token stay', () => {
  const map = createStageMap('augment-text8', 28, 2);
  const letters = [...'\0 abcdefghijklmnopqrstuvwxyz'];
  const halfway = letters.map((_, x) => map.coarsen(x, 1));
  const lettersOf = (kind: number) => letters.filter((_, x) => halfway[x] === kind).join('');
  assert.equal(lettersOf(28), 'aeiou');
  assert.equal(lettersOf(29), 'bcdfghjklmnpqrstvwxyz');
  assert.deepEqual(halfway.slice(0, 2), [0, 1]);
  assert.deepEqual(generated(map, 2), [
    [30, 28],
    [28, 2],
  ]);
  assert.deepEqual([map.numStages, map.numInputClasses, map.absorbing], [2, 31, 30]);
});

test('levels nest: every map keeps x at first, absorbs it at last, and merges whole classes in between', () => {
  const some = fc.oneof(
    fc
      .record({
        name: fc.constantFrom('zero' as const, 'augment' as const),
        numClasses: fc.integer({ min: 2, max: 300 }),
        base: fc.integer({ min: 2, max: 20 }),
      })
      .filter(({ numClasses, base }) => base <= numClasses),
    fc.constant({ name: 'augment-text8' as const, numClasses: 28, base: 2 }),
  );
  fc.assert(
    fc.property(some, ({ name, numClasses, base }) => {
      const map = createStageMap(name, numClasses, base);
      for (let r = 0; r < map.numStages; r++) {
        const next = new Map<number, number>();
        for (let x = 0; x < numClasses; x++) {
          const [finer, coarser] = [map.coarsen(x, r), map.coarsen(x, r + 1)];
          assert.equal(next.get(finer) ?? coarser, coarser);
          next.set(finer, coarser);
          assert.ok(coarser >= 0 && coarser < map.numInputClasses);
        }
      }
      for (let x = 0; x < numClasses; x++) {
        assert.equal(map.coarsen(x, 0), x);
        assert.equal(map.coarsen(x, map.numStages), map.absorbing);
      }
    }),
  );
});

test('stages that do not fit the classes are refused with the numbers', () => {
  for (const base of [1, 0, -2, 2.5, 257, NaN])
    for (const make of [zero, augment])
      assert.throws(() => make(256, base), {
        name: 'UsageError',
        message: new RegExp(`base ${base} do not fit 256 classes: give a whole base from 2 to 256`),
      });
  assert.throws(() => createStageMap('augment-text8', 257, 2), {
    name: 'UsageError',
    message: /28 classes of text8, not for 257/,
  });
});
