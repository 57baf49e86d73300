import assert from 'node:assert/strict';
import test from 'node:test';
import { TOTAL } from '../../shared/coding/format.js';
import { classAtSlot, intervalOf } from '../../shared/coding/frequencies.js';
import {
  CASES,
  CASES_OF_16_BITS,
  SCALES,
  sharesOf,
  uniformOutputs,
  type Case,
} from '../outputs/made-up-cumulative.js';

/** The frequencies of a variable's classes, after checking that they are a partition of 0..TOTAL-1 that each slot finds its way in. */
function frequenciesOf({ output, place }: Case, outputs: Float32Array): Uint32Array {
  const cumulative = output.cumulative(outputs, place);
  let end = 0;
  const frequencies = Uint32Array.from({ length: cumulative.count }, (_, n) => {
    const { start, frequency } = intervalOf(cumulative, n);
    assert.equal(start, end);
    assert.ok(frequency >= 1 && Number.isInteger(frequency), `class ${n} has ${frequency}`);
    end = start + frequency;
    return frequency;
  });
  assert.equal(end, TOTAL);
  const step = Math.ceil(cumulative.count / 256);
  for (let n = 0; n < cumulative.count; n += step) {
    const { start, frequency } = intervalOf(cumulative, n);
    for (const slot of [start, start + Math.floor(frequency / 2), start + frequency - 1])
      assert.equal(classAtSlot(cumulative, slot), n);
  }
  return frequencies;
}

/** Bits a variable that coding takes beyond the entropy of its distribution. */
function costOf(shares: Float64Array, frequencies: Uint32Array): number {
  return shares.reduce(
    (sum, share, n) => sum + (share > 0 ? share * Math.log2((share * TOTAL) / frequencies[n]!) : 0),
    0,
  );
}

for (const [bits, cases, most] of [
  [8, CASES, 0.001],
  [16, CASES_OF_16_BITS, 0.01],
] as const)
  for (const [name, made] of Object.entries(cases))
    test(`${name}: frequencies of up to ${bits}-bit classes cover all slots and cost at most ${most} bits`, () => {
      for (const scale of SCALES) {
        const outputs = uniformOutputs(made, scale);
        const shares = sharesOf(made.output.cumulative(outputs, made.place));
        const cost = costOf(shares, frequenciesOf(made, outputs));
        assert.ok(cost < most, `${cost} bits at scale ${scale}`);
        assert.ok(cost > -1e-6);
      }
    });

test('a certain class has all but what each of the others needs', () => {
  const made = CASES.softmax!;
  const outputs = new Float32Array(made.output.numOutputs).fill(-1000);
  outputs[256 + 5] = 0;
  const frequencies = frequenciesOf(made, outputs);
  assert.deepEqual([frequencies[4], frequencies[5], frequencies[6]], [1, TOTAL - 255, 1]);
});

test('equal classes have equal frequencies', () => {
  const made = CASES.softmax!;
  const frequencies = frequenciesOf(made, new Float32Array(made.output.numOutputs));
  assert.ok(frequencies.every((frequency) => frequency === TOTAL / 256));
});
