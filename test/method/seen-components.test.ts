import assert from 'node:assert/strict';
import test from 'node:test';
import { hasSeenEveryStage, seenComponents } from '../../shared/method/seen-components.js';

test('an unseen step takes the value of the last seen one of its stage, before that of the first', () => {
  const given = Float64Array.of(NaN, 4, NaN, NaN, NaN, 3, NaN, 1);
  assert.deepEqual([...seenComponents(given, 2)], [4, 4, 4, 4, 3, 3, 3, 1]);
  assert.deepEqual([...given], [NaN, 4, NaN, NaN, NaN, 3, NaN, 1], 'what is given stays');
});

test('a stage of which nothing was seen is refused', () => {
  assert.throws(() => seenComponents(Float64Array.of(2, 1, NaN, NaN), 2), {
    name: 'UsageError',
    message: /no loss component of stage 2 of 2.*--policy naive/,
  });
});

test('there is something to plan by once every stage was seen', () => {
  assert.equal(hasSeenEveryStage(Float64Array.of(NaN, 1, NaN, NaN), 1), true);
  assert.equal(hasSeenEveryStage(Float64Array.of(NaN, 1, NaN, NaN), 2), false);
  assert.equal(hasSeenEveryStage(Float64Array.of(NaN, 1, 2, NaN), 2), true);
});
