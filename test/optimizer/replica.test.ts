import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { UserError } from '../../shared/errors.js';
import { maxParameters, Replica } from '../../shared/optimizer/replica.js';
import { planUpdate, type Update } from '../../shared/optimizer/update.js';
import { fillEvenly, plainAdam, type State } from './plain-adam.js';
import { training } from './training.js';

const NUM_STEPS = 3;
const STATE = ['parameters', 'firstMoment', 'secondMoment', 'ema'] as const;
const bits = (array: Float32Array | Float64Array) => new Uint32Array(array.slice().buffer);

function filled(numParameters: number, numSteps = NUM_STEPS): Replica {
  const replica = new Replica(numParameters, numSteps);
  fillEvenly(replica.parameters, 1, 0.5);
  fillEvenly(replica.gradient, 2, 3);
  replica.ema.set(replica.parameters);
  return replica;
}

function copyOf(replica: Replica): State {
  const { parameters, gradient, firstMoment, secondMoment, ema } = replica;
  return {
    parameters: parameters.slice(),
    gradient: gradient.slice(),
    firstMoment: firstMoment.slice(),
    secondMoment: secondMoment.slice(),
    ema: ema.slice(),
  };
}

function assertSameBits(replica: Replica, expected: State): void {
  for (const name of STATE) assert.deepEqual(bits(replica[name]), bits(expected[name]), name);
}

test('updates are those of the plain formula to the bit, for any numbers and any length', () => {
  const number = (max: number) => fc.double({ min: 0, max, noNaN: true });
  const update = fc.record({
    step: fc.nat(),
    clipFactor: number(1),
    learningRate: number(1),
    correction1: number(10),
    correction2: number(1000),
    beta1: number(0.99),
    beta2: number(0.9999),
    epsilon: fc.double({ min: 1e-12, max: 1, noNaN: true }),
    weightDecay: number(1),
    ema: number(0.9999),
  });
  fc.assert(
    fc.property(
      fc.array(update, { minLength: 1, maxLength: 3 }),
      fc.array(fc.float({ noNaN: true, min: Math.fround(-1e15), max: Math.fround(1e15) }), {
        minLength: 1,
        maxLength: 11,
      }),
      (updates, gradient) => {
        const replica = filled(gradient.length);
        replica.gradient.set(gradient);
        const expected = copyOf(replica);
        for (const each of updates) {
          replica.apply(each);
          plainAdam(expected, each);
        }
        assertSameBits(replica, expected);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

test('elements of a million parameters do not touch each other', () => {
  const replica = filled(1_000_003);
  const expected = copyOf(replica);
  const update = planUpdate(training({ weightDecay: 0.01 }), 0, replica.squaredNorm());
  replica.apply(update);
  plainAdam(expected, update);
  assertSameBits(replica, expected);
});

test('a first update of rate 0 leaves the parameters and fills the moments', () => {
  const replica = filled(10);
  const before = copyOf(replica);
  const settings = training({ warmupSteps: 5000, ema: 0.5 });
  replica.apply(planUpdate(settings, 0, replica.squaredNorm()));
  assert.deepEqual(replica.parameters, before.parameters);
  assert.deepEqual(replica.ema, before.parameters);
  assert.ok(replica.firstMoment.every((m) => m !== 0));
});

test('1000 steps of training have always led to the same bits', () => {
  const replica = filled(1001, 0);
  const settings = training({ learningRate: 1e-3, warmupSteps: 100, weightDecay: 1e-3, clip: 30, ema: 0.99 });
  for (let step = 0; step < 1000; step++) {
    fillEvenly(replica.gradient, step, 1 + (step % 7));
    replica.apply(planUpdate(settings, step, replica.squaredNorm()));
  }
  assert.equal(replica.hash(), '17a73870a7a3015f6228a4b0a118a17cfa8fe7679e2c4003821c27a90b3a2a5d');
});

test('the squared norm is exact where float64 is, and always summed the same way', () => {
  const integers = new Replica(65_536 * 2 + 5, NUM_STEPS);
  integers.gradient.forEach((_, i) => (integers.gradient[i] = (i % 2001) - 1000));
  const sum = integers.gradient.reduce((total, g) => total + g * g, 0);
  assert.equal(integers.squaredNorm(), sum);

  const replica = filled(65_536 * 2 + 5);
  let expected = 0;
  for (let begin = 0; begin < replica.gradient.length; begin += 65_536) {
    const lanes = [0, 0, 0, 0];
    replica.gradient.subarray(begin, begin + 65_536).forEach((g, i) => (lanes[i % 4] += g * g));
    expected += lanes[0] + lanes[2] + (lanes[1] + lanes[3]);
  }
  assert.equal(replica.squaredNorm(), expected);
});

test('a gradient that is not finite shows in the squared norm, wherever it stands', () => {
  for (const position of [0, 70_001, 99_998]) {
    for (const value of [NaN, Infinity, -Infinity]) {
      const replica = new Replica(99_999, NUM_STEPS);
      replica.gradient[position] = value;
      assert.ok(!Number.isFinite(replica.squaredNorm()));
    }
  }
});

test('the hash is of parameters, moments, moving average and components, without padding or gradient', () => {
  const replica = filled(5);
  const expected = createHash('sha256');
  for (const name of [...STATE, 'components'] as const) expected.update(bits(replica[name]));
  assert.equal(replica.hash(), expected.digest('hex'));
  const before = replica.hash();
  replica.gradient.fill(7);
  assert.equal(replica.hash(), before);
  replica.secondMoment[4] = 1;
  const moved = replica.hash();
  assert.notEqual(moved, before);
  replica.components[NUM_STEPS - 1] = 1;
  assert.notEqual(replica.hash(), moved);
});

test('no time step was seen at first, and an update leaves the components as they are', () => {
  for (const numParameters of [4, 5]) {
    const replica = filled(numParameters);
    assert.deepEqual(replica.components, new Float64Array(NUM_STEPS).fill(NaN));
    replica.components.set([1, NaN, 3]);
    replica.apply(planUpdate(training(), 0, replica.squaredNorm()));
    assert.deepEqual(replica.components, Float64Array.of(1, NaN, 3));
  }
});

test('another thread that attaches sees and makes the same state', async () => {
  const replica = filled(1234);
  const expected = copyOf(replica);
  replica.components[1] = 0.5;
  const update: Update = planUpdate(training(), 3, 1);
  plainAdam(expected, update);
  const module = new URL('../../shared/optimizer/replica.js', import.meta.url).href;
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(({ Replica }) => {
      const replica = Replica.attach(workerData.memory, 1234, 3);
      replica.apply(workerData.update);
      replica.components[2] = 2 * replica.components[1];
      parentPort.postMessage(replica.hash());
    });`;
  const worker = new Worker(code, { eval: true, workerData: { memory: replica.memory, update } });
  const hash = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assertSameBits(replica, expected);
  assert.deepEqual(replica.components, Float64Array.of(NaN, 0.5, 1));
  assert.equal(hash, replica.hash());
});

test('a model beyond 4 GiB of state is refused with its size and the limit', () => {
  assert.equal(maxParameters(0), 214_748_364);
  const most = maxParameters(256_000);
  assert.equal(most, 214_645_964);
  assert.throws(
    () => new Replica(most + 1, 256_000),
    (error) =>
      error instanceof UserError && /214,645,965 parameters.*214,645,964 parameters/.test(error.message),
  );
  const largest = new Replica(most, 256_000);
  largest.ema[most - 1] = 1;
  largest.gradient[most - 1] = 2;
  assert.equal(largest.squaredNorm(), 4);
  assert.ok(Number.isNaN(largest.components[255_999]));
});
