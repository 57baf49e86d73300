import assert from 'node:assert/strict';
import test from 'node:test';
import { partsOf, stateBytes, stateIn } from '../../shared/exchange/state-copy.js';
import { ARRAYS, type TrainingState } from '../../shared/checkpoint/state.js';
import { bucketBytes, checksum } from '../../shared/exchange/buckets.js';

const sizes = { numParameters: 5, numSteps: 3 };

const empty = () => stateIn(new SharedArrayBuffer(stateBytes(sizes)), sizes);

/** Every element another number, but for one time step that was not seen. */
function counted(): TrainingState {
  const state = empty();
  let next = 1;
  for (const array of ARRAYS) state[array].forEach((_, i) => (state[array][i] = next++));
  state.components[1] = NaN;
  return state;
}

test('the arrays of a copy lie side by side and fill it', () => {
  const state = counted();
  assert.deepEqual([...state.ema], [16, 17, 18, 19, 20]);
  assert.deepEqual([...state.components], [21, NaN, 23]);
  assert.equal(state.components.byteOffset + state.components.byteLength, stateBytes(sizes));
});

test('parts of any size put together are the state, components too', () => {
  const state = counted();
  for (const maxBytes of [1, 8, 12, 1000]) {
    const copy = empty();
    let numElements = 0;
    for (const { array, offset, length, crc, bytes } of partsOf(state, maxBytes)) {
      assert.ok(bytes.length <= Math.max(maxBytes, copy[array].BYTES_PER_ELEMENT));
      assert.equal(checksum(bytes), crc);
      bucketBytes(copy[array], { offset, length }).set(bytes);
      numElements += length;
    }
    assert.equal(numElements, 4 * 5 + 3);
    assert.deepEqual(copy, state);
  }
});
