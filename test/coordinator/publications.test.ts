import assert from 'node:assert/strict';
import test from 'node:test';
import { Publications } from '../../coordinator/publications.js';

function publications() {
  const free: SharedArrayBuffer[] = [];
  return { free, publications: new Publications((buffer) => free.push(buffer)) };
}

test('a buffer is free once everyone it went to has applied it, and not before', () => {
  const { free, publications: published } = publications();
  const buffer = new SharedArrayBuffer(4);
  published.add(7, buffer, ['a', 'b']);
  published.applied('a', 8);
  published.applied('a', 9);
  published.applied('b', 7);
  assert.deepEqual(free, []);
  published.applied('b', 8);
  assert.deepEqual(free, [buffer]);
  published.applied('b', 9);
  assert.equal(free.length, 1);
});

test('who is gone reads no buffer, and one that went to nobody is free at once', () => {
  const { free, publications: published } = publications();
  const [first, second, third] = [4, 4, 4].map((bytes) => new SharedArrayBuffer(bytes));
  published.add(1, first!, ['a']);
  published.add(2, second!, ['a', 'b']);
  published.applied('a', Infinity);
  assert.deepEqual(free, [first]);
  published.add(3, third!, []);
  assert.deepEqual(free, [first, third]);
});

test('who keeps all but the last few waiting is known', () => {
  const publications = new Publications(() => undefined);
  for (let step = 0; step < 4; step++) {
    publications.add(step, new SharedArrayBuffer(4), ['a', 'b']);
    publications.applied('a', step);
  }
  assert.deepEqual(publications.behind(4), []);
  assert.deepEqual(publications.behind(3), ['b']);
  assert.deepEqual(publications.behind(0), ['b', 'a']);
});
