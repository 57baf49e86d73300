import assert from 'node:assert/strict';
import test from 'node:test';
import { ContextModel } from '../../bench/orders.js';

/** Bits of `scored` by each order, after counting `counted`. */
function price(counted: readonly number[], scored: readonly number[], numClasses = 2, order = 2): number[] {
  const model = new ContextModel(numClasses, order);
  model.count(counted);
  const bits = new Float64Array(order + 1);
  model.price(scored, bits);
  return [...bits];
}

test('an order-0 model mixes its counts with the uniform distribution by the number of classes seen', () => {
  // 3 of class 0 and 1 of class 1, two seen: p(0) = (3 + 2 / 2) / 6.
  const [bits] = price([0, 0, 0, 1], [0]);
  assert.equal(bits, -Math.log2(4 / 6));
});

test('a longer context is mixed with the shorter one, and is the shorter one where it was never seen', () => {
  const [zero, one, two] = price([0, 1, 0, 1, 0, 1], [1, 0, 1]);
  assert.ok(one! < zero!, 'alternation is seen with one variable of context');
  const unseen = price([0, 0, 0], [1, 1, 1]);
  assert.equal(unseen[1], unseen[0]);
  assert.ok(two! <= one!);
});

test('probabilities of all classes sum to one in every order', () => {
  const counted = [0, 1, 2, 0, 0, 2, 1, 1, 2, 0, 1];
  for (const before of [[], [0], [2, 1]]) {
    const sums = [0, 0, 0];
    for (let k = 0; k < 4; k++) {
      const with_ = price(counted, [...before, k], 4);
      const without = price(counted, before, 4);
      sums.forEach((_, order) => (sums[order]! += 2 ** (without[order]! - with_[order]!)));
    }
    for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-12, `${sum}`);
  }
});
