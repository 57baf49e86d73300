import assert from 'node:assert/strict';
import test from 'node:test';
import { addInto } from '../../shared/optimizer/sum.js';
import { fillEvenly } from './plain-adam.js';

test('arrays of any length and kind of memory are added in float32', () => {
  for (const length of [1, 3, 4, 16_383, 16_384, 16_385, 50_001]) {
    for (const Memory of [ArrayBuffer, SharedArrayBuffer]) {
      const target = new Float32Array(new Memory(4 * length + 8), 4, length);
      const source = new Float32Array(new Memory(4 * length), 0, length);
      fillEvenly(target, length, 1);
      fillEvenly(source, 1, 1e-3);
      const expected = target.map((value, i) => value + source[i]);
      addInto(target, source);
      assert.deepEqual(target, expected);
      assert.deepEqual([...new Float32Array(target.buffer, 0, 1)], [0]);
      assert.deepEqual([...new Float32Array(target.buffer, 4 + 4 * length, 1)], [0]);
    }
  }
});
