import assert from 'node:assert/strict';
import test from 'node:test';
import { boundOf, stageAndTime, summarize, trainingWeight } from '../../shared/method/bound.js';

/** Of one stage, each variable a position. */
const process = (numVariables: number) => ({ numVariables, numPositions: numVariables, numStages: 1 });

const close = (actual: number, expected: number, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('a uniform model has the bound -log2 K at every time step', () => {
  for (const numClasses of [2, 28, 256])
    for (const timeStep of [0, 1, 100, 191]) {
      const { elbo, elboOfT, nce } = boundOf(
        -(192 - timeStep) * Math.log(numClasses),
        timeStep,
        process(192),
      );
      close(elbo, -Math.log2(numClasses));
      close(elboOfT, -Math.log2(numClasses) / 192);
      close(nce, (-Math.log2(numClasses) * (192 - timeStep)) / 192);
    }
});

test('the loss of a uniform model over all time steps has the known values', () => {
  const lossOf = (numVariables: number, numClasses: number, ceWeight: number) => {
    const timeSteps = [...Array(numVariables).keys()];
    const nats = timeSteps.map((t) => -(numVariables - t) * Math.log(numClasses));
    return summarize(timeSteps, nats, process(numVariables), ceWeight);
  };
  const cifar = lossOf(3072, 256, 1e-3);
  close(cifar.bitsPerDim, 8, 1e-9);
  close(cifar.loss, 8.0040013, 5e-8);
  close(lossOf(250, 28, 1e-4).loss, 4.8075963, 5e-8);
});

test('the estimators agree with the bound by enumeration for two variables', () => {
  // Bits: nothing known, x0 -1 and x1 -2; x1 given x0 -1; x0 given x1 0.
  const estimates = [
    boundOf(-3 * Math.LN2, 0, process(2)),
    boundOf(-3 * Math.LN2, 0, process(2)),
    boundOf(-1 * Math.LN2, 1, process(2)),
    boundOf(0, 1, process(2)),
  ];
  assert.deepEqual(
    estimates.map(({ elbo }) => elbo),
    [-1.5, -1.5, -1, 0],
  );
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  close(mean(estimates.map(({ elbo }) => elbo)), -1);
  close(mean(estimates.map(({ nce }) => nce)), -0.875);
  const componentBits = (t: number) => 2 * mean(estimates.slice(2 * t, 2 * t + 2).map((e) => -e.elboOfT));
  close(componentBits(0), 1.5);
  close(componentBits(1), 0.5);
});

test('the training weight turns nats into the loss that is reported', () => {
  const [nats, timeStep, numVariables, ceWeight] = [-500, 37, 192, 0.01];
  const { elbo, nce } = boundOf(nats, timeStep, process(numVariables));
  const loss = -trainingWeight(timeStep, process(numVariables), ceWeight) * nats;
  close(loss, -elbo - ceWeight * nce);
  const mean = summarize([timeStep, 0], [nats, 0], process(numVariables), ceWeight);
  close(mean.loss, loss / 2);
  close(mean.bitsPerDim, -elbo / 2);
});

test('a uniform upscale model has log2 b bits a stage, and the known loss', () => {
  // Four stages of base 4 over 3072 variables.
  const upscale = { numVariables: 3072, numPositions: 3072, numStages: 4 };
  const steps = [...Array(4 * 3072).keys()];
  const nats = steps.map((step) => -(3072 - (step % 3072)) * Math.log(4));
  for (const step of [0, 3071, 3072, 12_287]) {
    const { elbo, elboOfT } = boundOf(nats[step]!, step, upscale);
    close(elbo, -8, 1e-9);
    close(elboOfT * 3072, -2, 1e-9);
  }
  const { bitsPerDim, loss } = summarize(steps, nats, upscale, 1e-3);
  close(bitsPerDim, 8, 1e-9);
  close(loss, 8.0010003, 5e-8);
});

test('channels that are generated together share a step, and count each as a variable', () => {
  // Four pixels of three channels: two pixels are unknown at the third step.
  const pixels = { numVariables: 12, numPositions: 4, numStages: 1 };
  const { elbo, elboOfT, nce } = boundOf(-6 * Math.log(256), 2, pixels);
  close(nce, -4);
  close(elboOfT, -2);
  close(elbo, -8);
  close(trainingWeight(2, pixels, 0), 4 / (2 * 12 * Math.LN2));
});

test('a step lies in a stage, at a time', () => {
  assert.deepEqual(
    [0, 9, 10, 25].map((step) => stageAndTime(step, 10)),
    [
      { stage: 0, time: 0 },
      { stage: 0, time: 9 },
      { stage: 1, time: 0 },
      { stage: 2, time: 5 },
    ],
  );
});
