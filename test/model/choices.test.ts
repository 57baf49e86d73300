import assert from 'node:assert/strict';
import test from 'node:test';
import { drawnBy } from '../../shared/model/sample.js';
import { logisticRgbOutput } from '../../shared/outputs/logistic-rgb.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { madeUpOutputs, placeAt, probabilitiesOf } from '../outputs/made-up.js';

test('the channels of a pixel are drawn one after another, each given those before, from a number each', () => {
  const output = logisticRgbOutput(2, 2, 'exact');
  const outputs = madeUpOutputs(output.numOutputs, 2, 1);
  const places = [0, 1, 2].map((channel) => placeAt({ channel }));
  const of = (channel: number, earlier: readonly number[]) =>
    probabilitiesOf(output, outputs, { channel, earlier });
  const expected = [0, 1].flatMap((r) =>
    [0, 1].flatMap((g) => [0, 1].map((b) => of(0, [])[r]! * of(1, [r])[g]! * of(2, [r, g])[b]!)),
  );
  const random = stream(2, PURPOSE.sample);
  const choose = drawnBy([stream(1, PURPOSE.sample), random]);
  const classes = new Int32Array(3);
  const counts = new Array<number>(8).fill(0);
  const numDraws = 20_000;
  for (let i = 0; i < numDraws; i++) {
    choose({ nth: 1, j: 0, variable: 0, output, outputs, places }, classes);
    counts[4 * classes[0]! + 2 * classes[1]! + classes[2]!]! += 1;
  }
  const chiSquare = expected.reduce(
    (sum, p, i) => sum + (counts[i]! - numDraws * p) ** 2 / (numDraws * p),
    0,
  );
  // 0.1 % of such counts are beyond it, at 7 degrees of freedom.
  assert.ok(chiSquare < 24.3, `${counts}, not ${expected.map((p) => numDraws * p)}`);

  const again = stream(2, PURPOSE.sample);
  for (let i = 0; i < 3 * numDraws; i++) again.uint32();
  assert.equal(random.uint32(), again.uint32());
});
