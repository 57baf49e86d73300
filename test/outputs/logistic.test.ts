import assert from 'node:assert/strict';
import test from 'node:test';
import { logisticOutput } from '../../shared/outputs/logistic.js';
import type { Edges } from '../../shared/outputs/logistic-bins.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { assertAgrees, hostLikelihoods, madeUpVariables } from './agreement.js';
import { assertClose, madeUpOutputs, noiseOf, placeAt, probabilitiesOf } from './made-up.js';

const total = (probabilities: Float64Array) => probabilities.reduce((sum, p) => sum + p, 0);
const ofZeros = (numClasses: number, numMixtures: number, edges: Edges = 'exact') =>
  probabilitiesOf(logisticOutput(1, numClasses, numMixtures, edges), new Float32Array(3 * numMixtures));
const bits = (probability: number) => -Math.log2(probability);

test('all-zero outputs are logistics side by side, nearly uniform together', () => {
  for (const edges of ['exact', 'original'] as const) {
    assertClose('K = 4', ofZeros(4, 1, edges), [0.339244, 0.160756, 0.160756, 0.339244], 1e-6);
    const half = [0.195394, 0.089279, 0.104099, 0.111227];
    assertClose('K = 8', ofZeros(8, 2, edges), [...half, ...half.toReversed()], 1e-6);
    const of256 = ofZeros(256, 30, edges);
    assertClose('K = 256', [bits(of256[128]!), bits(of256[0]!), total(of256)], [7.997, 6.403, 1], 1e-3);
    assert.equal(bits(ofZeros(65_536, 30, edges)[32_768]!).toFixed(3), '16.003');
  }
});

test('probabilities of 65,536 classes sum to 1, and to more by the original rule of the edges', () => {
  assertClose('exact', [total(ofZeros(65_536, 30))], [1], 1e-9);
  assert.equal(total(ofZeros(65_536, 30, 'original')).toFixed(4), '1.0649');
  for (const scale of [1, 10]) {
    const output = logisticOutput(1, 65_536, 5, 'exact');
    assertClose('made up', [total(probabilitiesOf(output, madeUpOutputs(15, scale)))], [1], 1e-9);
  }
});

test('the original raises inner bins to 1e-12, of each component', () => {
  // One component in the middle, as narrow as can be.
  const narrow = [0, 0, -100];
  const [exact, original] = (['exact', 'original'] as const).map((edges) =>
    probabilitiesOf(logisticOutput(1, 256, 1, edges), narrow),
  );
  assertClose('far from it', [original![60]! / 1e-12], [1], 1e-9);
  assert.ok(exact![60]! < 1e-100 && exact![60]! > 0);
  assert.equal(original![0], exact![0]);
  assert.equal(original![127], exact![127]);
});

for (const edges of ['exact', 'original'] as const)
  test(`what is trained on agrees with the float64 form, gradients too, for 256 classes, ${edges}`, async () => {
    const output = logisticOutput(2, 256, 4, edges);
    const variables = madeUpVariables(output, [3, 2, 3, 2], { numClasses: 256 });
    variables.x.set([0, 255, 0, 255, 1, 254]);
    // The last example's components are as narrow as can be, its classes far from their means.
    variables.outputs.subarray((2 * variables.outputs.length) / 3).fill(-100);
    await assertAgrees(output, { ...variables, stages: new Int32Array(3) }, 2e-5);
  });

test('no digits are lost to 65,536 classes, though sigmoids at both ends of a bin are equal in float32', async () => {
  const output = logisticOutput(1, 65_536, 3, 'exact');
  const variables = madeUpVariables(output, [2, 1, 2, 4], { numClasses: 65_536 });
  variables.x.set([0, 65_535, 1, 3, 65_532]);
  // Log-scales from -1 to 5: bins down to 1e-7 of a scale.
  for (let i = 6 * 8; i < 9 * 8; i++) variables.outputs[i]! = (i % 8) - 1;
  await assertAgrees(output, { ...variables, stages: new Int32Array(2) }, 2e-5);
});

test('bins of a small part of a scale and of many scales are as exact', async () => {
  const output = logisticOutput(1, 6, 1, 'exact');
  const variables = madeUpVariables(output, [1, 1, 3, 5], { numClasses: 4 });
  variables.x.forEach((x, i) => (variables.x[i] = x + 1));
  // Scales from e^-3 to e^4, bins 0.4 wide.
  for (let i = 0; i < 15; i++) variables.outputs[30 + i] = i / 2 - 3;
  await assertAgrees(output, variables, 1e-6);
});

test('outputs of any size have a finite likelihood', async () => {
  const output = logisticOutput(1, 65_536, 2, 'exact');
  const variables = madeUpVariables(output, [1, 1, 1, 4], { numClasses: 65_536, scale: 30 });
  const stages = new Int32Array(1);
  assert.ok(hostLikelihoods(output, { ...variables, stages }).every(Number.isFinite));
  await assertAgrees(output, { ...variables, stages }, 1e-4);
});

test('classes are drawn as often as they are probable, the edges too', () => {
  const output = logisticOutput(2, 6, 2, 'exact');
  const outputs = madeUpOutputs(output.numOutputs, 1, 3);
  const noise = noiseOf(stream(4, PURPOSE.sample));
  const expected = probabilitiesOf(output, outputs, { channel: 1 });
  const counts = new Float64Array(6);
  const drawn = new Int32Array(1);
  for (let i = 0; i < 20_000; i++) {
    output.draw(outputs, [placeAt({ channel: 1 })], noise, drawn);
    counts[drawn[0]!]! += 1;
  }
  counts.forEach((count, k) => {
    const mean = 20_000 * expected[k]!;
    assert.ok(Math.abs(count - mean) < 5 * Math.sqrt(mean), `${counts}, not ${expected}`);
  });
});

test('a draw is the quantile of the component whose logit plus noise is largest, kept within the ends', () => {
  // Means -0.5 and 0.5, of scale 1/2.
  const output = logisticOutput(1, 201, 2, 'exact');
  const outputs = new Float32Array(output.numOutputs);
  const draw = (component: number, u: number) => {
    const drawn = new Int32Array(1);
    const noise = { gumbel: (m: number) => (m === component ? 1 : 0), uniform: () => u };
    output.draw(outputs, [placeAt()], noise, drawn);
    return drawn[0];
  };
  assert.equal(draw(0, 0.5), 50);
  assert.equal(draw(1, 0.5), 150);
  assert.equal(draw(1, 1 / (1 + Math.E)), 100);
  assert.equal(draw(1, 0), 0);
  assert.equal(draw(0, 1 - 2 ** -32), 200);
});
