import assert from 'node:assert/strict';
import test from 'node:test';
import { rangesOf, type Terms } from '../../coordinator/reduction.js';
import { Reducers } from '../../coordinator/reducers.js';
import { bucketBytes, bucketsOf, checksum } from '../../shared/exchange/buckets.js';
import { gradientBytes, gradientIn } from '../../shared/exchange/gradient-buffer.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { addInto } from '../../shared/optimizer/sum.js';
import { Random } from '../../shared/random/philox.js';
import { planUpdate } from '../../shared/optimizer/update.js';
import { training } from '../optimizer/training.js';

const random = new Random(3, 0, 0, 0);

/** Values whose sum depends on the order. */
function gradientOf(numParameters: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(gradientBytes(numParameters));
  const values = gradientIn(buffer, numParameters);
  for (let i = 0; i < numParameters; i++) values[i] = (random.uniform() - 0.5) * 10 ** (6 * random.uniform());
  // What lies behind the gradient is no part of it.
  new Uint32Array(buffer, 4 * numParameters, 1)[0] = 0x7f800001;
  return buffer;
}

/** The terms of a whole tree over these leaves. */
function treeOf(leaves: readonly SharedArrayBuffer[]): Terms {
  if (leaves.length === 1) return leaves[0]!;
  const half = leaves.length / 2;
  return [treeOf(leaves.slice(0, half)), treeOf(leaves.slice(half))];
}

/** The same, a pair after another. */
function sumOf(leaves: readonly SharedArrayBuffer[], numParameters: number): Float32Array {
  if (leaves.length === 1) return gradientIn(leaves[0]!, numParameters).slice();
  const half = leaves.length / 2;
  const left = sumOf(leaves.slice(0, half), numParameters);
  addInto(left, sumOf(leaves.slice(half), numParameters));
  return left;
}

for (const [numParameters, bucketSize, numLeaves] of [
  [7, 16, 4],
  [65_536, 262_144, 1],
  [70_001, 100_000, 8],
  [300_003, 524_288, 2],
  [200_000, 4096, 2],
] as const)
  test(`${numLeaves} gradients of ${numParameters} values in buckets of ${bucketSize} bytes: as added pair by pair`, () => {
    const replica = new Replica(numParameters, 3);
    const leaves = Array.from({ length: numLeaves }, () => gradientOf(numParameters));
    const reducers = new Reducers(
      { memory: replica.memory, numParameters, numSteps: 3, bucketBytes: bucketSize },
      1,
    );
    const copy = new SharedArrayBuffer(gradientBytes(numParameters));
    const expected = sumOf(leaves, numParameters);
    const { squaredNorm, checksums } = reducers.reduce(treeOf(leaves), copy);
    assert.deepEqual(replica.gradient, expected);
    assert.deepEqual(gradientIn(copy, numParameters), new Float32Array(expected));
    assert.equal(squaredNorm, replica.squaredNorm());
    const buckets = bucketsOf(numParameters, bucketSize);
    assert.deepEqual(
      checksums,
      buckets.map((bucket) => checksum(bucketBytes(expected, bucket))),
    );
  });

test('ranges cut neither blocks nor buckets, and leave nothing out', () => {
  assert.deepEqual(rangesOf(10 * 65_536, 2 * 262_144, 2), [
    { begin: 0, end: 4 },
    { begin: 4, end: 10 },
  ]);
  assert.deepEqual(rangesOf(10 * 65_536 + 1, 262_144, 3), [
    { begin: 0, end: 3 },
    { begin: 3, end: 7 },
    { begin: 7, end: 11 },
  ]);
  assert.deepEqual(rangesOf(65_536, 262_144, 8), [{ begin: 0, end: 1 }]);
  assert.deepEqual(rangesOf(10 * 65_536, 1000, 4), [{ begin: 0, end: 10 }], 'buckets that lie across blocks');
});

test('three threads do what one does', () => {
  const numParameters = 2 ** 20 + 12_345;
  const leaves = [gradientOf(numParameters), gradientOf(numParameters)];
  const update = planUpdate(training(), 5, 0.25);
  const [one, three] = [1, 3].map((numThreads) => {
    const replica = new Replica(numParameters, 3);
    replica.parameters.fill(0.5);
    const reducers = new Reducers(
      { memory: replica.memory, numParameters, numSteps: 3, bucketBytes: 262_144 },
      numThreads,
    );
    const found = reducers.reduce(treeOf(leaves), undefined);
    reducers.apply(update);
    reducers.close();
    return { ...found, hash: replica.hash() };
  });
  assert.deepEqual(three, one);
});
