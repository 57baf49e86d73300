import assert from 'node:assert/strict';
import test from 'node:test';
import { pack, unpack } from 'msgpackr';
import { Replica } from '../../shared/optimizer/replica.js';
import { planUpdate } from '../../shared/optimizer/update.js';
import { training } from './training.js';

test('the rate warms up linearly from 0 over the steps taken before', () => {
  const settings = training({ learningRate: 5e-4, warmupSteps: 5000 });
  const rate = (step: number) => Math.fround(planUpdate(settings, step, 1).learningRate);
  assert.deepEqual(
    [0, 1, 2500, 4999, 5000, 1e6].map(rate),
    [0, 1e-7, 2.5e-4, 4.999e-4, 5e-4, 5e-4].map(Math.fround),
  );
  assert.equal(planUpdate(training(), 0, 1).learningRate, 1e-4);
});

test('a long gradient is scaled down to the limit, a short one left alone', () => {
  const clipped = (clip: number) => {
    const { clipFactor } = planUpdate(training({ clip }), 0, 3 ** 2 + 4 ** 2);
    return [3 * clipFactor, 4 * clipFactor];
  };
  const [a, b] = clipped(0.25);
  assert.ok(Math.abs(a - 0.15) < 1e-8 && Math.abs(b - 0.2) < 1e-8);
  assert.deepEqual(clipped(100), [3, 4]);
  assert.equal(planUpdate(training(), 0, 0).clipFactor, 1);
});

test('bias is corrected as by powers of the decays', () => {
  for (const step of [0, 1, 2, 99, 1_000_000]) {
    const { correction1, correction2 } = planUpdate(training(), step, 1);
    assert.ok(Math.abs(correction1 * (1 - 0.9 ** (step + 1)) - 1) < 1e-12);
    assert.ok(Math.abs(correction2 * (1 - 0.999 ** (step + 1)) - 1) < 1e-12);
  }
});

test('the first update moves each parameter by the rate against its gradient', () => {
  const replica = new Replica(3, 0);
  replica.gradient.set([0.5, -2, 0]);
  replica.apply(planUpdate(training({ learningRate: 0.125 }), 0, replica.squaredNorm()));
  for (const [i, expected] of [-0.125, 0.125, 0].entries()) {
    assert.ok(Math.abs(replica.parameters[i] - expected) < 1e-7);
  }
});

test('an update survives its journey unchanged', () => {
  const update = planUpdate(training({ warmupSteps: 7, clip: 0.3 }), 4, 1.1);
  assert.deepEqual(unpack(pack(update)), update);
});
