import assert from 'node:assert/strict';
import test from 'node:test';
import type { Edges } from '../../shared/outputs/logistic-bins.js';
import { logisticRgbOutput } from '../../shared/outputs/logistic-rgb.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { assertAgrees, madeUpVariables } from './agreement.js';
import { assertClose, madeUpOutputs, noiseOf, placeAt, probabilitiesOf } from './made-up.js';

const PIXEL = [0, 1, 2].map((channel) => placeAt({ channel }));

test('given the channels before it, the probabilities of a channel sum to 1', () => {
  const output = logisticRgbOutput(256, 3, 'exact');
  assert.equal(output.numOutputs, 30);
  const outputs = madeUpOutputs(30, 2);
  for (const [channel, earlier] of [[], [3], [3, 250]].entries()) {
    const probabilities = probabilitiesOf(output, outputs, { channel, earlier });
    assertClose('sum', [probabilities.reduce((sum, p) => sum + p, 0)], [1], 1e-12);
  }
});

test('what is trained on agrees with the float64 form, gradients too', async () => {
  const output = logisticRgbOutput(256, 3, 'exact');
  const variables = madeUpVariables(output, [2, 3, 3, 2], { numClasses: 256 });
  variables.x.set([0, 255]);
  await assertAgrees(output, { ...variables, stages: new Int32Array(2) }, 2e-5);
});

test('scales too large for float32 to tell 1 + exp from 1 have a likelihood and a gradient', async () => {
  const output = logisticRgbOutput(256, 1, 'exact');
  const variables = madeUpVariables(output, [1, 3, 1, 2], { numClasses: 256 });
  for (const scale of [2, 5, 8]) variables.outputs.fill(-20, 2 * scale, 2 * scale + 2);
  await assertAgrees(output, { ...variables, stages: new Int32Array(1) }, 2e-5);
});

/** How often red and green are which of two classes, of 20,000 draws. */
function countPairs(edges: Edges, outputs: Float32Array): number[] {
  const output = logisticRgbOutput(2, 2, edges);
  const noise = noiseOf(stream(6, PURPOSE.sample));
  const counts = [0, 0, 0, 0];
  const drawn = new Int32Array(3);
  for (let i = 0; i < 20_000; i++) {
    output.draw(outputs, PIXEL, noise, drawn);
    counts[2 * drawn[0]! + drawn[1]!]! += 1;
  }
  return counts;
}

test('pixels are drawn as often as they are probable; as the original draws them, they are not', () => {
  const output = logisticRgbOutput(2, 2, 'exact');
  // Component 0 is dark, component 1 bright; green is drawn towards red.
  const outputs = new Float32Array(20);
  outputs.set([-1, 1, 3, 3, 2, 2], 2);
  outputs.set([-1, 1, 3, 3], 8);
  const red = probabilitiesOf(output, outputs, { earlier: [] });
  const expected = [0, 1].flatMap((r) =>
    [...probabilitiesOf(output, outputs, { channel: 1, earlier: [r] })].map((p) => 20_000 * p * red[r]!),
  );
  const isAsExpected = (counts: readonly number[]) =>
    counts.every((count, k) => Math.abs(count - expected[k]!) < 5 * Math.sqrt(expected[k]!));
  const exact = countPairs('exact', outputs);
  assert.ok(isAsExpected(exact), `${exact}, not ${expected}`);
  assert.ok(!isAsExpected(countPairs('original', outputs)));
});

test('each channel draws a component of its own; the original draws one for all', () => {
  const asked = (edges: Edges) => {
    const choices = new Set<number>();
    const noise = { gumbel: (k: number) => (choices.add(k), 0), uniform: () => 0.5 };
    logisticRgbOutput(8, 2, edges).draw(new Float32Array(20), PIXEL, noise, new Int32Array(3));
    return [...choices];
  };
  assert.deepEqual(asked('exact'), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(asked('original'), [0, 1]);
});
