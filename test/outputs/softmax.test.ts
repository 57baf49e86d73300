import assert from 'node:assert/strict';
import test from 'node:test';
import { softmaxOutput } from '../../shared/outputs/softmax.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { assertAgrees, madeUpVariables } from './agreement.js';
import { assertClose, noiseOf, placeAt, probabilitiesOf } from './made-up.js';

test('outputs are logits, those of one channel after those of another', () => {
  const output = softmaxOutput(2, 3);
  assert.equal(output.numOutputs, 6);
  const outputs = [0, 0, 0, ...[0.1, 0.2, 0.7].map(Math.log)];
  assertClose('channel 0', probabilitiesOf(output, outputs), [1 / 3, 1 / 3, 1 / 3], 1e-7);
  assertClose('channel 1', probabilitiesOf(output, outputs, { channel: 1 }), [0.1, 0.2, 0.7], 1e-7);
});

test('what is trained on agrees with the float64 form, gradients too', async () => {
  const output = softmaxOutput(2, 5);
  await assertAgrees(output, madeUpVariables(output, [2, 2, 3, 2], { numClasses: 5, scale: 3 }), 2e-6);
});

test('classes are drawn as often as they are probable', () => {
  const output = softmaxOutput(1, 3);
  const outputs = Float32Array.from([0.1, 0.2, 0.7], Math.log);
  const noise = noiseOf(stream(2, PURPOSE.sample));
  const counts = [0, 0, 0];
  const drawn = new Int32Array(1);
  for (let i = 0; i < 20_000; i++) {
    output.draw(outputs, [placeAt()], noise, drawn);
    counts[drawn[0]!]! += 1;
  }
  [2000, 4000, 14_000].forEach((expected, k) =>
    assert.ok(Math.abs(counts[k]! - expected) < 5 * Math.sqrt(expected), `${counts}`),
  );
});
