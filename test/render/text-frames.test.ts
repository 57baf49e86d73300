import assert from 'node:assert/strict';
import test from 'node:test';
import { formatFilm, formatTexts } from '../../shared/render/text-frames.js';

test('texts stand apart under their numbers', () => {
  assert.equal(
    formatTexts(['the cat', 'two\nlines']),
    '--- 1 of 2 ---\nthe cat\n\n--- 2 of 2 ---\ntwo\nlines\n',
  );
  assert.equal(formatTexts([]), '');
});

test('a film has a state a line, all starting in one column', () => {
  const lines = formatFilm(
    Array.from({ length: 12 }, (_, i) => `${'a'.repeat(i)}${'_'.repeat(11 - i)}`),
  ).split('\n');
  assert.equal(lines[0], ' 1  ___________');
  assert.equal(lines[11], '12  aaaaaaaaaaa');
  assert.deepEqual(lines.slice(12), ['']);
});
