import assert from 'node:assert/strict';
import test from 'node:test';
import { cos, exp, sin } from '../shared/exact-math.js';
import { stream } from '../shared/random/philox.js';

const random = stream(1, 0);
const between = (least: number, most: number) => least + (most - least) * random.uniform();

/** The numbers around x, each a unit in the last place from the next. */
function neighbours(x: number): number[] {
  const number = Float64Array.of(x);
  const bits = new BigInt64Array(number.buffer);
  const towardsZero = x < 0 ? 1n : -1n;
  bits[0]! += 20n * -towardsZero;
  const found: number[] = [];
  for (let i = 0; i < 40; i++) {
    found.push(number[0]!);
    bits[0]! += towardsZero;
  }
  return found.sort((a, b) => a - b);
}

function assertClose(name: string, x: number, actual: number, expected: number): void {
  const difference = Math.abs(actual - expected);
  assert.ok(difference <= 1e-15 * Math.abs(expected), `${name}(${x}) is ${actual}, not ${expected}`);
}

test('exp, sin and cos agree with Math to 1e-15 of the value', () => {
  for (let i = 0; i < 20_000; i++) {
    const x = i % 2 ? between(-708, 709) : between(-2, 2);
    assertClose('exp', x, exp(x), Math.exp(x));
    const angle = i % 2 ? between(-1e6, 1e6) : between(0, 1000);
    assertClose('sin', angle, sin(angle), Math.sin(angle));
    assertClose('cos', angle, cos(angle), Math.cos(angle));
  }
});

test('sin and cos keep their precision beside their zeros', () => {
  for (let n = 1; n < 1000; n++) {
    const x = (n * Math.PI) / 2;
    assertClose('sin', x, sin(x), Math.sin(x));
    assertClose('cos', x, cos(x), Math.cos(x));
  }
});

test('exp never falls and keeps its precision where its terms change', () => {
  const numbers = [1, 7].flatMap((stride) => Array.from({ length: 4000 }, (_, i) => stride * (i - 2000)));
  const changes = numbers.filter((n) => n !== 0).map((n) => (n * Math.LN2) / 16);
  // 4e-12 of a step before each is where rounding might see it.
  for (const x of [...changes, ...changes.map((change) => change - 1.733e-13)]) {
    const near = neighbours(x);
    const values = near.map(exp);
    values.forEach((value, i) => {
      assert.ok(i === 0 || value >= values[i - 1]!, `it falls at ${near[i]}`);
      assertClose('exp', near[i]!, value, Math.exp(near[i]!));
    });
  }
});

test('exp ends in 0 and in infinity and keeps what is no number', () => {
  assert.deepEqual(
    [exp(-Infinity), exp(-709), exp(-0), exp(710), exp(Infinity), exp(NaN)],
    [0, 0, 1, Infinity, Infinity, NaN],
  );
  assert.ok(exp(-708) > 0 && exp(709.78) < Infinity);
  assert.deepEqual([-1e-20, 1e-20].map(exp), [1, 1]);
});
