import assert from 'node:assert/strict';
import test from 'node:test';
import { StateHashes } from '../../coordinator/state-hashes.js';

test('a hash that differs is found, whichever side comes first', () => {
  const hashes = new StateHashes();
  assert.deepEqual(hashes.claim('early', { step: 100, hash: 'x' }), []);
  assert.deepEqual(hashes.claim('good', { step: 100, hash: 'y' }), []);
  const early = { id: 'early', step: 100, hash: 'x', expected: 'y' };
  assert.deepEqual(hashes.own({ step: 100, hash: 'y' }), [early]);
  const late = { id: 'late', step: 100, hash: 'z', expected: 'y' };
  assert.deepEqual(hashes.claim('late', { step: 100, hash: 'z' }), [late]);
  assert.deepEqual(hashes.claim('fine', { step: 100, hash: 'y' }), []);
});

test('hashes of other steps are not compared, nor those of who is gone', () => {
  const hashes = new StateHashes();
  hashes.own({ step: 100, hash: 'y' });
  assert.deepEqual(hashes.claim('ahead', { step: 200, hash: 'q' }), []);
  hashes.claim('gone', { step: 200, hash: 'r' });
  hashes.forget('gone');
  const ahead = { id: 'ahead', step: 200, hash: 'q', expected: 'p' };
  assert.deepEqual(hashes.own({ step: 200, hash: 'p' }), [ahead]);
  assert.deepEqual(hashes.own({ step: 200, hash: 'p' }), []);
});
