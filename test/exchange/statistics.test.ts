import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatistics, statisticsFrames } from '../../shared/exchange/statistics.js';

const statistics = {
  timeSteps: Int32Array.of(7, 0, 3071),
  logLikelihoods: Float64Array.of(-0, -1e-300, -17.25),
};

test('statistics come back from their frames, wherever those begin in memory', () => {
  const frames = statisticsFrames(statistics).map((bytes) => {
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    return shifted;
  });
  assert.deepEqual(readStatistics(frames, 3), statistics);
});

test('only their own part of a larger buffer is sent', () => {
  const { timeSteps, logLikelihoods } = statistics;
  const part = { timeSteps: timeSteps.subarray(1), logLikelihoods: logLikelihoods.subarray(1) };
  assert.deepEqual(readStatistics(statisticsFrames(part), 2), {
    timeSteps: timeSteps.slice(1),
    logLikelihoods: logLikelihoods.slice(1),
  });
});

test('frames of another number of examples are none', () => {
  const [timeSteps, logLikelihoods] = statisticsFrames(statistics);
  for (const frames of [
    [],
    [timeSteps],
    [timeSteps, logLikelihoods.subarray(8)],
    [logLikelihoods, timeSteps],
  ])
    assert.equal(readStatistics(frames, 3), undefined);
  assert.equal(readStatistics([timeSteps, logLikelihoods], 2), undefined);
});
