import assert from 'node:assert/strict';
import test from 'node:test';
import { Residuals } from '../../worker/residuals.js';

const [left, right, half] = [
  { level: 0, index: 0 },
  { level: 0, index: 1 },
  { level: 1, index: 0 },
];

/** Sends a sum that lacks `value`; tells what it lacked before. */
function send(residuals: Residuals, node: typeof left, value: number): number {
  const { residual, next } = residuals.take(node);
  const before = new Float32Array(residual)[0]!;
  new Float32Array(next).fill(value);
  residuals.sent(node, next);
  return before;
}

test('what a step leaves lacking is lacking in the next, once the step is committed', () => {
  const residuals = new Residuals(3);
  assert.equal(send(residuals, left, 5), 0);
  assert.equal(send(residuals, left, 6), 0, 'computed again before the commit');
  residuals.commit([left]);
  assert.equal(send(residuals, left, 7), 6);
  residuals.commit([left]);
  assert.equal(send(residuals, left, 8), 7);
});

test('what was not sent lacks nothing', () => {
  const residuals = new Residuals(3);
  send(residuals, left, 5);
  residuals.commit([left]);
  new Float32Array(residuals.take(left).next).fill(9);
  residuals.commit([]);
  assert.equal(send(residuals, left, 0), 5, 'nothing was sent of that step');
});

test('subtrees that are dealt no more leave theirs to the first of the others, in whatever order these were sent', () => {
  for (const order of [
    [left, right],
    [right, left],
  ]) {
    const residuals = new Residuals(3);
    send(residuals, half, 100);
    residuals.commit([half]);
    for (const node of order) assert.equal(send(residuals, node, node === left ? 1 : 2), 0);
    residuals.commit(order);
    assert.equal(send(residuals, left, 0), 101);
    assert.equal(send(residuals, right, 0), 2);
  }
});

test('a sum that another worker gave instead leaves lacking what it did before', () => {
  const residuals = new Residuals(3);
  send(residuals, left, 5);
  send(residuals, right, 6);
  residuals.commit([left, right]);
  send(residuals, left, 7);
  send(residuals, right, 8);
  residuals.commit([right]);
  assert.equal(send(residuals, left, 0), 5);
  assert.equal(send(residuals, right, 0), 8);
});
