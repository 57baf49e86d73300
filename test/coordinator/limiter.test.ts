import assert from 'node:assert/strict';
import test from 'node:test';
import { Limiter } from '../../coordinator/limiter.js';

test('so many pass at once, then one each so often, which tells of those before it', () => {
  const limiter = new Limiter(2, 1000);
  const at = (now: number) => limiter.pass('a', now);
  assert.deepEqual([at(0), at(0), at(0), at(999)], [0, 0, undefined, undefined]);
  assert.equal(at(1000), 2);
  assert.equal(at(1500), undefined);
  assert.equal(at(2000), 1);
});

test('a pause gives back as much as there was at first, and no more', () => {
  const limiter = new Limiter(2, 1000);
  for (let i = 0; i < 5; i++) limiter.pass('a', 0);
  const passed = [1e6, 1e6, 1e6].map((now) => limiter.pass('a', now));
  assert.deepEqual(passed, [3, 0, undefined]);
});

test('one does not use up what another may, and whoever is forgotten begins anew', () => {
  const limiter = new Limiter(1, 1000);
  assert.deepEqual([limiter.pass('a', 0), limiter.pass('a', 0), limiter.pass('b', 0)], [0, undefined, 0]);
  limiter.forget('a');
  assert.equal(limiter.pass('a', 0), 0);
});

test('any number of names takes a bounded memory: the least recent goes', () => {
  const limiter = new Limiter(1, 1e9);
  limiter.pass('first', 0);
  for (let i = 0; i < 8191; i++) limiter.pass(String(i), 0);
  assert.equal(limiter.pass('first', 0), undefined, 'still known');
  for (let i = 0; i < 8192; i++) limiter.pass(`again ${i}`, 0);
  assert.equal(limiter.pass('first', 0), 0, 'forgotten');
});
