import assert from 'node:assert/strict';
import test from 'node:test';
import { Publications } from '../../coordinator/publications.js';

test('a buffer is free once everyone it went to has applied it, and not before', () => {
  const free: string[] = [];
  const publications = new Publications();
  publications.add(7, ['a', 'b'], () => free.push('seventh'));
  publications.applied('a', 8);
  publications.applied('a', 9);
  publications.applied('b', 7);
  assert.deepEqual(free, []);
  publications.applied('b', 8);
  assert.deepEqual(free, ['seventh']);
  publications.applied('b', 9);
  assert.equal(free.length, 1);
});

test('who is gone reads no buffer, and one that went to nobody is free at once', () => {
  const free: string[] = [];
  const publications = new Publications();
  publications.add(1, ['a'], () => free.push('first'));
  publications.add(2, ['a', 'b'], () => free.push('second'));
  publications.applied('a', Infinity);
  assert.deepEqual(free, ['first']);
  publications.add(3, [], () => free.push('third'));
  assert.deepEqual(free, ['first', 'third']);
});

test('who keeps all but the last few waiting is known', () => {
  const publications = new Publications();
  for (let step = 0; step < 4; step++) {
    publications.add(step, ['a', 'b'], () => undefined);
    publications.applied('a', step);
  }
  assert.deepEqual(publications.behind(4), []);
  assert.deepEqual(publications.behind(3), ['b']);
  assert.deepEqual(publications.behind(0), ['b', 'a']);
});
