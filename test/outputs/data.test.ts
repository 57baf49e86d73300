import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createStageMap, type StageMap } from '../../shared/method/stages.js';
import { dataOutput } from '../../shared/outputs/data.js';
import { assertAgrees, madeUpVariables } from './agreement.js';
import { assertClose, madeUpOutputs, probabilitiesOf } from './made-up.js';

/** For each stage, the distribution of its class given what is known of x before it. */
function stagesOf(map: StageMap, logits: ArrayLike<number>, x: number): Float64Array[] {
  const output = dataOutput(1, map);
  return Array.from({ length: map.numStages }, (_, stage) =>
    probabilitiesOf(output, logits, { stage, past: map.coarsen(x, map.numStages - stage) }),
  );
}

/** The probability of what x becomes in each stage. */
function ofClass(map: StageMap, logits: ArrayLike<number>, x: number): number[] {
  return stagesOf(map, logits, x).map((of, stage) => of[map.coarsen(x, map.numStages - 1 - stage)]!);
}

test('a class of a stage has the mass of its leaves over that of all leaves left', () => {
  const four = createStageMap('zero', 4, 2);
  assertClose('x = 3', ofClass(four, [0.1, 0.2, 0.3, 0.4].map(Math.log), 3), [0.7, 4 / 7], 1e-7);
  const eight = createStageMap('zero', 8, 2);
  const logits = Array.from({ length: 8 }, (_, k) => Math.log((k + 1) / 36));
  assertClose('x = 5', ofClass(eight, logits, 5), [13 / 18, 11 / 26, 6 / 11], 1e-7);
});

test('the stages of any map multiply to the probability of the class', () => {
  const maps = fc.oneof(
    fc
      .tuple(fc.constantFrom('zero' as const, 'augment' as const), fc.integer({ min: 2, max: 60 }), fc.nat())
      .map(([map, numClasses, n]) => createStageMap(map, numClasses, 2 + (n % (numClasses - 1)))),
    fc.constant(createStageMap('augment-text8', 28, 2)),
  );
  fc.assert(
    fc.property(maps, fc.nat(), fc.nat(), (map, seed, n) => {
      const logits = madeUpOutputs(map.numClasses, 2, seed);
      const x = n % map.numClasses;
      const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
      const product = ofClass(map, logits, x).reduce((all, value) => all * value, 1);
      // Each stage's floors weigh more where it has little mass.
      assertClose('log-probability', [Math.log(product)], [logits[x]! - Math.log(sum)], 1e-4);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('at each stage the probabilities of the classes that are left sum to 1, and others have none', () => {
  for (const map of [
    createStageMap('zero', 27, 3),
    createStageMap('augment', 10, 4),
    createStageMap('augment-text8', 28, 2),
  ]) {
    const logits = madeUpOutputs(map.numClasses, 5);
    const x = map.numClasses - 1;
    stagesOf(map, logits, x).forEach((probabilities, stage) => {
      assert.equal(probabilities.length, map.numInputClasses);
      const past = map.coarsen(x, map.numStages - stage);
      const left = new Set<number>();
      for (let k = 0; k < map.numClasses; k++)
        if (map.coarsen(k, map.numStages - stage) === past)
          left.add(map.coarsen(k, map.numStages - 1 - stage));
      probabilities.forEach((p, id) => assert.equal(p > 0, left.has(id), `class ${id} of stage ${stage}`));
      assertClose('sum', [probabilities.reduce((sum, p) => sum + p, 0)], [1], 1e-12);
    });
  }
});

for (const map of ['zero', 'augment'] as const)
  test(`what is trained on agrees with the float64 form at each stage, gradients too: ${map}`, async () => {
    const stages = createStageMap(map, 12, 3);
    const output = dataOutput(2, stages);
    await assertAgrees(
      output,
      madeUpVariables(output, [3, 2, 3, 2], { numClasses: 12, scale: 3 }),
      5e-6,
      (x, stage) => stages.coarsen(x, 3 - stage),
    );
  });
