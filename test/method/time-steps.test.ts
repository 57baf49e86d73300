import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { drawTimeSteps } from '../../shared/method/time-steps.js';

const sorted = (values: Int32Array) => [...values.toSorted()];

test('uniform time steps cover every step evenly', () => {
  const counts = new Array<number>(8).fill(0);
  for (let step = 0; step < 500; step++)
    for (const t of drawTimeSteps('uniform', 0, step, 16, 8)) counts[t]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${counts}`);
});

test('the uniform time step of an example does not depend on the size of the batch', () => {
  const [small, large] = [8, 32].map((batch) => drawTimeSteps('uniform', 3, 5, batch, 1000));
  assert.deepEqual(large!.subarray(0, 8), small);
});

test('antithetic: 4 examples and 10 steps are two offsets below 5, each with its companion 5 later', () => {
  for (let step = 0; step < 50; step++) {
    const timeSteps = sorted(drawTimeSteps('antithetic', 0, step, 4, 10));
    const low = timeSteps.filter((t) => t < 5);
    assert.equal(low.length, 2);
    assert.deepEqual(
      timeSteps.filter((t) => t >= 5),
      low.map((t) => t + 5),
    );
  }
});

test('antithetic: 128 examples and 3072 steps are one offset below 24, every 24', () => {
  const timeSteps = sorted(drawTimeSteps('antithetic', 1, 2, 128, 3072));
  assert.ok(timeSteps[0]! < 24);
  assert.deepEqual(
    timeSteps,
    timeSteps.map((_, j) => timeSteps[0]! + 24 * j),
  );
});

test('antithetic time steps are spread evenly for any batch and shuffled over it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 90 }),
      fc.nat(),
      (batch, D, step) => {
        const timeSteps = drawTimeSteps('antithetic', 0, step, batch, D);
        assert.equal(timeSteps.length, batch);
        const companions =
          [...Array(D).keys()].findLast((n) => batch % (n + 1) === 0 && D % (n + 1) === 0)! + 1;
        for (let j = 0; j < companions; j++) {
          const part = timeSteps.filter((t) => t >= (j * D) / companions && t < ((j + 1) * D) / companions);
          assert.equal(part.length, batch / companions);
        }
      },
    ),
  );
  const first = Array.from({ length: 40 }, (_, step) => drawTimeSteps('antithetic', 0, step, 4, 4)[0]);
  assert.equal(new Set(first).size, 4);
});

test('every example of an antithetic batch has each time step equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let step = 0; step < 10_000; step++) counts[drawTimeSteps('antithetic', 9, step, 4, 10)[2]!]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${counts}`);
});

test('another seed or step draws other time steps', () => {
  for (const mode of ['uniform', 'antithetic'] as const) {
    const drawn = drawTimeSteps(mode, 1, 1, 64, 1000);
    assert.deepEqual(drawTimeSteps(mode, 1, 1, 64, 1000), drawn);
    assert.notDeepEqual(drawTimeSteps(mode, 2, 1, 64, 1000), drawn);
    assert.notDeepEqual(drawTimeSteps(mode, 1, 2, 64, 1000), drawn);
  }
});
