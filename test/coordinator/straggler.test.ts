import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StepLengths } from '../../coordinator/straggler.js';

const lengthsOf = (values: readonly number[]) => {
  const lengths = new StepLengths();
  for (const value of values) lengths.add(value);
  return lengths;
};
const times = (count: number, value: number) => Array<number>(count).fill(value);

test('before enough steps were taken nobody is a straggler until the longest time is over', () => {
  assert.equal(lengthsOf(times(7, 100)).deadline(500, 60_000), 60_000);
  assert.equal(lengthsOf(times(8, 100)).deadline(500, 60_000), 500);
});

test('steps of one length give two of them, and those that vary six deviations above the median', () => {
  assert.equal(lengthsOf(times(9, 1000)).deadline(500, 60_000), 2000);
  const varied = [...times(5, 1000), 700, 800, 1200, 1300, 600, 1400];
  assert.equal(lengthsOf(varied).deadline(500, 60_000), 1000 + 6 * 200);
});

test('one step that took forever changes nothing, and many of them do', () => {
  assert.equal(lengthsOf([...times(20, 1000), 50_000]).deadline(500, 60_000), 2000);
  assert.equal(lengthsOf([...times(20, 1000), ...times(17, 4000)]).deadline(500, 60_000), 8000);
});

test('the deadline stays between the two given ones', () => {
  assert.equal(lengthsOf(times(8, 1)).deadline(5000, 20_000), 5000);
  assert.equal(lengthsOf(times(8, 15_000)).deadline(5000, 20_000), 20_000);
});
