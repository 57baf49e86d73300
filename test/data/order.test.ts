import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../shared/errors.js';
import { batchIndices, epochOf } from '../../shared/data/order.js';

const sizes = fc
  .record({ numExamples: fc.integer({ min: 1, max: 300 }), batch: fc.integer({ min: 1, max: 300 }) })
  .filter(({ numExamples, batch }) => batch <= numExamples);
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('an epoch takes no example twice, and drops only the remainder', () => {
  fc.assert(
    fc.property(sizes, seeds, fc.integer({ min: 0, max: 50 }), ({ numExamples, batch }, seed, epoch) => {
      const steps = Math.floor(numExamples / batch);
      const taken = new Set<number>();
      for (let i = 0; i < steps; i++) {
        const indices = batchIndices(seed, numExamples, batch, epoch * steps + i);
        assert.equal(indices.length, batch);
        for (const index of indices) {
          assert.ok(index >= 0 && index < numExamples);
          taken.add(index);
        }
      }
      assert.equal(taken.size, steps * batch);
    }),
  );
});

test('a batch depends on seed and step alone, not on what was asked before', () => {
  fc.assert(
    fc.property(
      sizes,
      seeds,
      fc.array(fc.nat(60), { minLength: 1 }),
      ({ numExamples, batch }, seed, steps) => {
        const forwards = steps.map((step) => batchIndices(seed, numExamples, batch, step));
        const backwards = steps.toReversed().map((step) => batchIndices(seed, numExamples, batch, step));
        assert.deepEqual(forwards, backwards.toReversed());
      },
    ),
  );
});

test('epochs and seeds are ordered differently', () => {
  const epoch = (seed: number, step: number) => batchIndices(seed, 1000, 1000, step).join();
  assert.equal(new Set([epoch(1, 0), epoch(1, 1), epoch(2, 0), epoch(2, 1)]).size, 4);
});

test('what a caller does to a batch does not change the epoch', () => {
  const first = batchIndices(5, 10, 5, 0);
  const kept = first.slice();
  first.fill(-1);
  assert.deepEqual(batchIndices(5, 10, 5, 0), kept);
});

test('every example comes to every place about equally often', () => {
  const counts = new Int32Array(16);
  const numEpochs = 4000;
  for (let epoch = 0; epoch < numEpochs; epoch++) {
    const [first, second, third, last] = batchIndices(9, 4, 4, epoch);
    [first, second, third, last].forEach((index, place) => counts[place * 4 + index!]!++);
  }
  // 4 standard deviations of a binomial with p = 1/4.
  const margin = 4 * Math.sqrt(numEpochs * 0.25 * 0.75);
  for (const count of counts) assert.ok(Math.abs(count - numEpochs / 4) < margin, `${[...counts]}`);
});

test('steps fall into epochs with the remainder dropped', () => {
  assert.deepEqual(
    [0, 389, 390, 779, 780].map((step) => epochOf(50_000, 128, step)),
    [0, 0, 1, 1, 2],
  );
});

test('a batch larger than the set is a usage error with both numbers', () => {
  assert.throws(
    () => batchIndices(0, 100, 128, 0),
    (error) => error instanceof UsageError && /training.batch is 128.*100 examples/.test(error.message),
  );
});
