import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { drawTimeSteps } from '../../shared/method/time-steps.js';

const steps = (numSteps: number, numStages = 1) => ({ numSteps, numStages });
const sorted = (values: Int32Array) => [...values.toSorted()];

test('uniform time steps cover every step evenly', () => {
  const counts = new Array<number>(8).fill(0);
  for (let step = 0; step < 500; step++)
    for (const t of drawTimeSteps('uniform', 0, step, 16, steps(8))) counts[t]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${counts}`);
});

test('the uniform time step of an example does not depend on the size of the batch', () => {
  const [small, large] = [8, 32].map((batch) => drawTimeSteps('uniform', 3, 5, batch, steps(1000)));
  assert.deepEqual(large!.subarray(0, 8), small);
});

test('antithetic: 4 examples and 10 steps are two offsets below 5, each with its companion 5 later', () => {
  for (let step = 0; step < 50; step++) {
    const timeSteps = sorted(drawTimeSteps('antithetic', 0, step, 4, steps(10)));
    const low = timeSteps.filter((t) => t < 5);
    assert.equal(low.length, 2);
    assert.deepEqual(
      timeSteps.filter((t) => t >= 5),
      low.map((t) => t + 5),
    );
  }
});

test('antithetic: 128 examples and 3072 steps are one offset below 24, every 24', () => {
  const timeSteps = sorted(drawTimeSteps('antithetic', 1, 2, 128, steps(3072)));
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
        const timeSteps = drawTimeSteps('antithetic', 0, step, batch, steps(D));
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
  const first = Array.from({ length: 40 }, (_, step) => drawTimeSteps('antithetic', 0, step, 4, steps(4))[0]);
  assert.equal(new Set(first).size, 4);
});

test('every example of an antithetic batch has each time step equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let step = 0; step < 10_000; step++)
    counts[drawTimeSteps('antithetic', 9, step, 4, steps(10))[2]!]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${counts}`);
});

test('another seed or step draws other time steps', () => {
  for (const mode of ['uniform', 'antithetic'] as const) {
    const drawn = drawTimeSteps(mode, 1, 1, 64, steps(1000));
    assert.deepEqual(drawTimeSteps(mode, 1, 1, 64, steps(1000)), drawn);
    assert.notDeepEqual(drawTimeSteps(mode, 2, 1, 64, steps(1000)), drawn);
    assert.notDeepEqual(drawTimeSteps(mode, 1, 2, 64, steps(1000)), drawn);
  }
});

test('antithetic: stages and the times within them are spread evenly, each by itself', () => {
  for (let step = 0; step < 20; step++) {
    const drawn = [...drawTimeSteps('antithetic', 3, step, 12, steps(40, 4))];
    const stages = drawn.map((t) => Math.floor(t / 10));
    for (const stage of [0, 1, 2, 3]) assert.equal(stages.filter((s) => s === stage).length, 3);
    // gcd(12, 10) is 2: six offsets below 5, each with its companion.
    const times = drawn.map((t) => t % 10);
    const low = times.filter((t) => t < 5).sort();
    assert.deepEqual(
      times.filter((t) => t >= 5).sort(),
      low.map((t) => t + 5),
    );
  }
});

test('antithetic: stages and times are independent, so that every step comes equally often', () => {
  const counts = new Array<number>(8).fill(0);
  for (let step = 0; step < 8000; step++)
    counts[drawTimeSteps('antithetic', 9, step, 4, steps(8, 2))[1]!]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${counts}`);
});
