import assert from 'node:assert/strict';
import test from 'node:test';
import { createStageMap } from '../../shared/method/stages.js';
import { directOutput } from '../../shared/outputs/direct.js';
import { assertAgrees, madeUpVariables } from './agreement.js';
import { assertClose, madeUpOutputs, placeAt, probabilitiesOf } from './made-up.js';

/** Digits of x, most significant first. */
const digitsOf = (x: number, numStages: number, base: number) => {
  const { variableInputs } = directOutput(1, numStages, base);
  return Array.from({ length: numStages }, (_, stage) => variableInputs[0]!.valueOf(x, stage));
};

test('each stage is of one digit', () => {
  assert.deepEqual(digitsOf(173, 8, 2), [1, 0, 1, 0, 1, 1, 0, 1]);
  assert.deepEqual(digitsOf(173, 4, 4), [2, 2, 3, 1]);
  assert.deepEqual(digitsOf(173, 2, 16), [10, 13]);
  assert.deepEqual(digitsOf(173, 3, 8), [2, 5, 5]);
  assert.deepEqual(digitsOf(40_000, 2, 256), [156, 64]);
  assert.deepEqual(digitsOf(40_000, 4, 16), [9, 12, 4, 0]);
  assert.deepEqual(digitsOf(40_000, 8, 4), [2, 1, 3, 0, 1, 0, 0, 0]);
});

test('a digit is added to what is known', () => {
  const output = directOutput(1, 3, 8);
  const steps = [
    [0, 2, 128],
    [128, 5, 168],
    [168, 5, 173],
  ] as const;
  steps.forEach(([past, digit, future], stage) =>
    assert.equal(output.classOf(digit, placeAt({ stage, past })), future),
  );
});

test('the probabilities of all digits of all classes sum to 1', () => {
  const output = directOutput(2, 3, 4);
  const outputs = madeUpOutputs(output.numOutputs, 2);
  const perStage = [0, 1, 2].map((stage) => probabilitiesOf(output, outputs, { stage, channel: 1 }));
  let sum = 0;
  for (let x = 0; x < 64; x++)
    sum += digitsOf(x, 3, 4).reduce((product, digit, stage) => product * perStage[stage]![digit]!, 1);
  assertClose('sum', [sum], [1], 1e-12);
});

test('what is trained on agrees with the float64 form at each stage, gradients too', async () => {
  const output = directOutput(2, 3, 4);
  const map = createStageMap('zero', 64, 4);
  await assertAgrees(
    output,
    madeUpVariables(output, [3, 2, 3, 2], { numClasses: 64, scale: 3 }),
    2e-6,
    (x, stage) => map.coarsen(x, 3 - stage),
  );
});

test('the digit of the largest log-probability plus noise is drawn', () => {
  const output = directOutput(1, 2, 3);
  const outputs = Float32Array.of(9, 0, 0, 0.1, 0.3, 0.2);
  const draw = (gumbel: readonly number[]) => {
    const drawn = new Int32Array(1);
    const noise = { gumbel: (k: number) => gumbel[k]!, uniform: () => NaN };
    output.draw(outputs, [placeAt({ stage: 1, past: 6 })], noise, drawn);
    return drawn[0];
  };
  assert.equal(draw([0, 0, 0]), 7);
  assert.equal(draw([0, 0, 1]), 8);
});
