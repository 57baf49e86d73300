import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { drawOrder, orderInSequence, variablesByRank } from '../../shared/method/orders.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

const orderOf = (seed: number, numVariables: number) => drawOrder(stream(seed, PURPOSE.order), numVariables);

test('an order holds every rank once, and depends on the stream', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 300 }), (seed, numVariables) => {
      const sorted = orderOf(seed, numVariables).toSorted();
      assert.deepEqual([...sorted], [...sorted.keys()]);
    }),
  );
  assert.notDeepEqual(orderOf(1, 50), orderOf(2, 50));
  assert.deepEqual(orderOf(1, 50), orderOf(1, 50));
});

test('all orders come equally often', () => {
  const counts = new Map<string, number>();
  const numDraws = 12_000;
  for (let seed = 0; seed < numDraws; seed++) {
    const key = orderOf(seed, 4).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 5 * Math.sqrt(500), `${count}`);
});

test('variables by rank are the inverse of the order', () => {
  assert.deepEqual([...variablesByRank(Int32Array.of(2, 0, 3, 1))], [1, 3, 0, 2]);
  const order = orderOf(3, 100);
  variablesByRank(order).forEach((variable, rank) => assert.equal(order[variable], rank));
});

test('the order in sequence generates the first position first', () => {
  assert.deepEqual([...orderInSequence(4)], [0, 1, 2, 3]);
});
