import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { quantile } from '../../shared/outputs/cumulative.js';
import { stream } from '../../shared/random/philox.js';
import { CASES, CASES_OF_16_BITS, SCALES, sharesOf, uniformOutputs } from './made-up-cumulative.js';
import { assertClose } from './made-up.js';

const ALL = [
  ...Object.entries(CASES),
  ...Object.entries(CASES_OF_16_BITS).map(([n, c]) => [`${n}, 16 bits`, c] as const),
];

for (const [name, made] of ALL) {
  const { output, place } = made;

  test(`${name}: shares are the probabilities of the classes that the variable may get`, () => {
    for (const scale of SCALES) {
      const outputs = uniformOutputs(made, scale);
      const all = output.logProbabilities(outputs, place, new Float64Array(output.numChoices));
      const feasible = [...all.keys()].filter((choice) => all[choice]! > -Infinity);
      const cumulative = output.cumulative(outputs, place);
      const classes = Array.from({ length: cumulative.count }, (_, n) => cumulative.classOf(n));
      assert.deepEqual(
        classes,
        feasible.map((choice) => output.classOf(choice, place)),
      );
      classes.forEach((x, n) => n % 97 === 0 && assert.equal(cumulative.indexOf(x), n));
      const masses = feasible.map((choice) => Math.exp(all[choice]!));
      // Those of the original's edges sum to more; that it raises 65,536 bins to 1e-12 is left out.
      const total = masses.reduce((sum, mass) => sum + mass, 0);
      const expected = masses.map((mass) => mass / total);
      assertClose(`scale ${scale}`, sharesOf(cumulative), expected, 1e-7);
    }
  });

  test(`${name}: shares begin at 0, end at 1 and never fall`, () => {
    for (const scale of [...SCALES, 1e30]) {
      const { count, at } = output.cumulative(uniformOutputs(made, scale, 1), place);
      assert.deepEqual([at(0), at(count)], [0, 1]);
      for (let n = 1; n <= count; n++) assert.ok(at(n) >= at(n - 1), `at ${n}, scale ${scale}`);
    }
  });
}

for (const [name, made] of Object.entries(CASES))
  test(`${name}: uniform numbers give each class as often as it is probable`, () => {
    const { output, place } = made;
    const random = stream(3, 0);
    const cumulative = output.cumulative(uniformOutputs(made, 1), place);
    const counts = new Float64Array(cumulative.count);
    const numDraws = 20_000;
    for (let i = 0; i < numDraws; i++) counts[quantile(cumulative, random.uniform())]! += 1;
    let [chiSquare, freedom] = [0, -1];
    sharesOf(cumulative).forEach((share, n) => {
      if (share === 0) return assert.equal(counts[n], 0);
      chiSquare += (counts[n]! - numDraws * share) ** 2 / (numDraws * share);
      freedom++;
    });
    assert.ok(chiSquare < freedom + 4 * Math.sqrt(2 * freedom), `${chiSquare} for ${freedom}`);
  });

test('a class without a share is never drawn, at the ends neither', () => {
  const { output, place } = CASES.softmax!;
  const outputs = new Float32Array(output.numOutputs).fill(-1000);
  outputs.fill(0, 256 + 7, 256 + 9);
  const cumulative = output.cumulative(outputs, place);
  const drawn = [0, 0.4999, 0.5, 1 - 2 ** -32].map((u) => quantile(cumulative, u));
  assert.deepEqual(drawn, [7, 7, 8, 8]);
});

test('shares have the same bits everywhere: they take no function that JavaScript leaves open', (t) => {
  const open = ['exp', 'expm1', 'log', 'log1p', 'log2', 'pow', 'tanh', 'sinh', 'cosh'] as const;
  for (const name of open)
    t.mock.method(Math, name, () => {
      throw new Error(`Math.${name} was called`);
    });
  const hash = createHash('sha256');
  for (const [, made] of ALL)
    for (const scale of SCALES) {
      const { count, at } = made.output.cumulative(uniformOutputs(made, scale), made.place);
      for (let n = 0; n <= count; n += count > 256 ? 997 : 1) hash.update(Float64Array.of(at(n)));
    }
  t.mock.restoreAll();
  assert.equal(hash.digest('hex'), '88623be77c6fdeb1064ddc9b8555cdb28a3fa8833107c2a4ab433d6077c8df58');
});
