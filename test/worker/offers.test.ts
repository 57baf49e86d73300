import assert from 'node:assert/strict';
import test from 'node:test';
import { dealProblem, taskProblem } from '../../worker/offers.js';

const terms = { slices: 8, sliceSize: 2, exampleBytes: 3 };
const deal = (begin: number, end: number) => ({ type: 'deal', term: 1, step: 0, begin, end }) as const;

test('a deal of slices that there are, with their examples, is fine', () => {
  assert.equal(dealProblem(deal(6, 8), new Uint8Array(12), terms), undefined);
});

test('slices that there are not, or none, are named', () => {
  for (const [begin, end] of [
    [0, 9],
    [3, 3],
    [5, 4],
    [2 ** 31, 2 ** 31 + 1],
  ] as const)
    assert.equal(dealProblem(deal(begin, end), new Uint8Array(6), terms), `slices ${begin} to ${end} of 8`);
});

test('examples of another size are refused', () => {
  for (const bytes of [undefined, new Uint8Array(11), new Uint8Array(13)])
    assert.match(dealProblem(deal(0, 2), bytes, terms)!, /bytes of examples instead of 12/);
});

test('a task to evaluate brings its examples; one to sample needs none', () => {
  const task = { kind: 'evaluate', task: 0, pass: 0, first: 0, count: 2 } as const;
  const message = { type: 'task', term: 1, step: 0 } as const;
  assert.equal(taskProblem({ ...message, task }, new Uint8Array(6), terms), undefined);
  assert.match(
    taskProblem({ ...message, task: { ...task, count: 2 ** 40 } }, new Uint8Array(6), terms)!,
    /instead/,
  );
  assert.equal(
    taskProblem({ ...message, task: { kind: 'sample', task: 0, first: 0, count: 2 } }, undefined, terms),
    undefined,
  );
});
