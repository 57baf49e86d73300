import assert from 'node:assert/strict';
import test from 'node:test';
import { frameIndex, pruneFrames } from '../../shared/method/frames.js';

test('steps go to frames evenly', () => {
  const indices = Array.from({ length: 10 }, (_, t) => frameIndex(t, 10, 4));
  assert.deepEqual(indices, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
});

test('pruning keeps the first and the last frame and spreads the others', () => {
  assert.deepEqual([...pruneFrames(7, 3)], [0, 3, 6]);
  assert.deepEqual([...pruneFrames(6, 3)], [0, 2, 5], 'a half goes to the even frame');
  assert.deepEqual([...pruneFrames(4, 4)], [0, 1, 2, 3]);
});
