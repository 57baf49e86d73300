import assert from 'node:assert/strict';
import test from 'node:test';
import { parseName } from '../../shared/checkpoint/folder.js';
import { superfluous } from '../../shared/checkpoint/retention.js';
import { stepName } from './made-up.js';

const named = (step: number | string) => (typeof step === 'string' ? step : stepName(step));

const TABLE: readonly {
  what: string;
  /** Newest first. */
  there: (number | string)[];
  latest: number | string;
  keepLast: number;
  keepEvery?: number;
  go: (number | string)[];
}[] = [
  { what: 'the first', there: [10], latest: 10, keepLast: 1, go: [] },
  { what: 'fewer than are kept', there: [20, 10], latest: 20, keepLast: 3, go: [] },
  { what: 'the newest are kept', there: [40, 30, 20, 10], latest: 40, keepLast: 2, go: [20, 10] },
  {
    what: 'every so many',
    there: [50, 40, 30, 20, 10],
    latest: 50,
    keepLast: 1,
    keepEvery: 20,
    go: [30, 10],
  },
  {
    what: 'they count among the newest',
    there: [40, 30, 20],
    latest: 40,
    keepLast: 2,
    keepEvery: 40,
    go: [20],
  },
  { what: 'step 0 is a multiple', there: [30, 20, 0], latest: 30, keepLast: 1, keepEvery: 50, go: [20] },
  { what: 'the latest stays among newer ones', there: [50, 40, 20, 10], latest: 20, keepLast: 2, go: [10] },
  { what: 'so does the oldest', there: [50, 40, 10], latest: 10, keepLast: 1, go: [40] },
  {
    what: 'a step saved again counts once',
    there: ['step-00000030.2', 30, 20, 10],
    latest: 'step-00000030.2',
    keepLast: 2,
    go: [30, 10],
  },
  {
    what: 'one replaced goes, though a multiple',
    there: [50, 'step-00000030.2', 30],
    latest: 50,
    keepLast: 1,
    keepEvery: 30,
    go: [30],
  },
];

for (const { what, there, latest, keepLast, keepEvery = 0, go } of TABLE) {
  test(`retention: ${what}`, () => {
    const entries = there.map((step) => ({ ...parseName(named(step))!, path: named(step) }));
    const gone = superfluous(entries, named(latest), { keepLast, keepEvery }).map(({ name }) => name);
    assert.deepEqual(gone, go.map(named));
  });
}
