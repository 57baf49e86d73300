import assert from 'node:assert/strict';
import test from 'node:test';
import { exp } from '../../shared/exact-math.js';
import { exponentialsOf } from '../../shared/outputs/exponentials.js';
import { stream } from '../../shared/random/philox.js';

const random = stream(1, 0);
const between = (least: number, most: number) => least + (most - least) * random.uniform();

test('exponentials are those of the distances to the largest logit, wherever logits lie', () => {
  for (const spread of [1e-6, 1, 50, 700])
    for (const [count, offset, stride] of [
      [1, 0, 1],
      [2, 5, 3],
      [255, 1, 2],
      [65_536, 0, 1],
    ] as const) {
      const given = new Float32Array(offset + count * stride).fill(1e9);
      for (let k = 0; k < count; k++) given[offset + k * stride] = between(-spread, 0) + 3;
      const logits = Float32Array.from({ length: count }, (_, k) => given[offset + k * stride]!);
      const largest = logits.reduce((most, logit) => Math.max(most, logit));
      const powers = exponentialsOf(given, offset, stride, count);
      logits.forEach((logit, k) => {
        const expected = exp(logit - largest);
        assert.ok(Math.abs(powers[k]! - expected) <= 1e-15 * expected, `${powers[k]} is not ${expected}`);
      });
    }
});

test('exponentials end in 0', () => {
  const logits = Float32Array.of(1, -707.5 + 1, -708.5 + 1, -1e38);
  const [one, least, ...zeros] = exponentialsOf(logits, 0, 1, 4);
  assert.deepEqual([one, ...zeros.slice(0, 2)], [1, 0, 0]);
  assert.ok(least! > 0 && least! < 1e-307);
});
