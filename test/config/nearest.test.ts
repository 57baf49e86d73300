import assert from 'node:assert/strict';
import test from 'node:test';
import { nearest } from '../../shared/config/nearest.js';

const keys = ['steps', 'batch', 'slices', 'learningRate', 'ema'];

test('a misspelt word finds the one that was meant', () => {
  for (const [word, meant] of [
    ['step', 'steps'],
    ['bacth', 'batch'],
    ['learning_rate', 'learningRate'],
    ['LEARNING-RATE', 'learningRate'],
    ['slice', 'slices'],
  ] as const)
    assert.equal(nearest(word, keys), meant);
});

test('a word that is like none finds none', () => {
  for (const word of ['optimizer', 'lr', 'x', '', 'steps'.repeat(1000)])
    assert.equal(nearest(word, keys), undefined);
  assert.equal(nearest('steps', []), undefined);
});
