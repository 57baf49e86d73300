import assert from 'node:assert/strict';
import test from 'node:test';
import { codingProbabilities, drawClass, logProbabilities } from '../../shared/method/categorical.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';

const logProbabilitiesOf = (logits: readonly number[]) =>
  logProbabilities(Float32Array.from(logits), 0, 1, new Float64Array(logits.length));

test('log-probabilities are normalised, for large logits too', () => {
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-7);
  const [one, three] = logProbabilitiesOf([0, Math.log(3)]);
  close(one!, Math.log(0.25));
  close(three!, Math.log(0.75));
  const [small, large] = logProbabilitiesOf([-1e4, 1e4]);
  assert.deepEqual([small, large], [-2e4, 0]);
});

test('offset and stride choose the logits of one variable', () => {
  // Two variables of three classes, the classes of each two apart.
  const logits = Float32Array.of(5, 0, 5, 0, 5, 9);
  const second = logProbabilities(logits, 1, 2, new Float64Array(3));
  assert.deepEqual(second, logProbabilitiesOf([0, 0, 9]));
  assert.equal(
    drawClass(logits, 1, 2, 3, () => 0),
    2,
  );
});

test('the class of the largest logit plus noise is drawn, the first of equals', () => {
  const logits = Float32Array.of(1, 2, 0);
  const noise = (values: number[]) => () => values.shift()!;
  assert.equal(drawClass(logits, 0, 1, 3, noise([0, 0, 0])), 1);
  assert.equal(drawClass(logits, 0, 1, 3, noise([0, 0, 3])), 2);
  assert.equal(drawClass(logits, 0, 1, 3, noise([1, 0, 0])), 0);
});

test('with Gumbel noise, classes come as often as the softmax says', () => {
  const logits = Float32Array.from([0.1, 0.2, 0.7], Math.log);
  const random = stream(2, PURPOSE.sample);
  const counts = [0, 0, 0];
  for (let i = 0; i < 20_000; i++) counts[drawClass(logits, 0, 1, 3, () => random.gumbel())]! += 1;
  [2000, 4000, 14_000].forEach((expected, k) =>
    assert.ok(Math.abs(counts[k]! - expected) < 5 * Math.sqrt(expected), `${counts}`),
  );
});

test('noise that is told only where it can win draws the same classes', () => {
  const [exact, bounded] = [stream(3, PURPOSE.sample), stream(3, PURPOSE.sample)];
  const logits = Float32Array.from({ length: 40 }, (_, k) => Math.sin(9 * k) * 2);
  const draw = (noise: (k: number, least: number) => number) => drawClass(logits, 0, 1, 40, noise);
  for (let i = 0; i < 2000; i++)
    assert.equal(
      draw((_, least) => bounded.gumbel(least)),
      draw(() => exact.gumbel()),
    );
});

test('coding probabilities have a floor and sum to 1', () => {
  const [one, three] = codingProbabilities(logProbabilitiesOf([0, Math.log(3)]));
  assert.ok(Math.abs(one! - 0.25001) < 1e-8 && Math.abs(three! - 0.74999) < 1e-8);
  const equal = codingProbabilities(logProbabilitiesOf(new Array<number>(256).fill(1)));
  for (const p of equal) assert.ok(Math.abs(p - 1 / 256) < 1e-15);
  const certain = logProbabilitiesOf([1000, ...new Array<number>(255).fill(0)]);
  assert.equal((-Math.log2(codingProbabilities(certain)[0]!)).toFixed(6), '0.007377');
});
