import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { layoutText, numExamples, publishedLayout } from '../../shared/data/text-layout.js';

test('text8 and enwik8 are cut as published: 90,000 pieces, 20,000 examples each', () => {
  const layout = publishedLayout(250);
  assert.deepEqual(layout, {
    train: { begin: 0, end: 90_000_000 },
    validation: { begin: 90_000_000, end: 95_000_000 },
    test: { begin: 95_000_000, end: 100_000_000 },
    length: 250,
    remainder: 0,
    numPieces: 90_000,
  });
  assert.equal(numExamples(layout.validation, layout), 20_000);
  assert.equal(numExamples(layout.test, layout), 20_000);
  assert.equal(Math.floor(layout.numPieces / 512), 175);
});

test('pieces are 1000 characters up to that length, and four examples beyond', () => {
  assert.equal(publishedLayout(1000).numPieces, 90_000);
  assert.equal(publishedLayout(1500).numPieces, Math.floor(publishedLayout(1500).train.end / 6000));
});

test('where the length does not divide a split, it begins later and the rest goes to the split before', () => {
  const layout = publishedLayout(256);
  assert.deepEqual(layout.test, { begin: 95_000_064, end: 100_000_000 });
  assert.deepEqual(layout.validation, { begin: 90_000_128, end: 95_000_064 });
  assert.equal(layout.train.end, 90_000_128);
  assert.equal(layout.remainder, 64);
});

test('whatever the numbers, the splits are whole, touch each other, and cover the text', () => {
  const cases = fc.record({
    length: fc.integer({ min: 2, max: 50 }),
    extra: fc.nat(500),
    numTrain: fc.integer({ min: 50, max: 2000 }),
  });
  fc.assert(
    fc.property(cases, ({ length, extra, numTrain }) => {
      const numHeldOut = length + extra;
      const total = numTrain + 2 * numHeldOut;
      const layout = layoutText(total, numHeldOut, length, 4 * length);
      const { train, validation, test } = layout;
      assert.deepEqual([train.begin, train.end, validation.end], [0, validation.begin, test.begin]);
      assert.equal(test.end, total);
      for (const split of [validation, test]) {
        const count = numExamples(split, layout);
        assert.ok(Number.isInteger(count) && count >= 1, `${count} examples`);
      }
      assert.ok(test.end - test.begin > numHeldOut - length);
      assert.ok(train.end >= numTrain);
    }),
  );
});
