import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { Averager, type Averaged } from '../../coordinator/averager.js';
import { gradientBytes, gradientIn, readStamped } from '../../shared/exchange/gradient-buffer.js';
import { residualIn, stateIn } from '../../shared/exchange/state-copy.js';
import { ARRAYS } from '../../shared/checkpoint/state.js';
import { configSchema, type CodecConfig } from '../../shared/config/schema.js';
import { checksum } from '../../shared/exchange/buckets.js';
import { CHAIN_START, nextLink } from '../../shared/exchange/chain.js';
import { statisticsFrames } from '../../shared/exchange/statistics.js';
import { LossTracker } from '../../shared/method/tracker.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { planUpdate } from '../../shared/optimizer/update.js';

const NUM_PARAMETERS = 7;
const NUM_STEPS = 6;
const model = {
  ...{ numParameters: NUM_PARAMETERS, numSteps: NUM_STEPS },
  ...{ numVariables: 6, numPositions: 3, numStages: 2 },
};
const { training } = configSchema.parse({
  name: 'x',
  data: { set: 'mnist' },
  model: { network: { kind: 'unet' } },
  training: { steps: 9, batch: 8, slices: 4, clip: 1 },
});

function start(
  t: TestContext,
  codec: CodecConfig = { kind: 'float32' },
  residual?: SharedArrayBuffer,
  places?: readonly SharedArrayBuffer[],
): { averager: Averager; replica: Replica } {
  const replica = new Replica(NUM_PARAMETERS, NUM_STEPS);
  replica.parameters.fill(1);
  const averager = new Averager({
    memory: replica.memory,
    model,
    training,
    exchange: {
      codec,
      seed: 0,
      parameters: [{ shape: [NUM_PARAMETERS] }],
      bucketBytes: 16,
    },
    ...(residual && { residual }),
    step: 0,
    chain: CHAIN_START,
    places,
  });
  t.after(() => averager.close());
  return { averager, replica };
}

/** All examples of a batch: what a subtree sends is its part of them. */
const batch = {
  timeSteps: Int32Array.of(5, 0, 2, 5, 1, 0, 5, 5),
  logLikelihoods: Float64Array.of(-1, -2, -3, -4, -5, -6, -7, -8),
};

/** Fills a buffer that the averager lent and hands it over. */
function add(
  averager: Averager,
  step: number,
  level: number,
  index: number,
  value: number | readonly number[],
  hash = false,
  lent?: SharedArrayBuffer,
): void {
  const buffer = lent ?? averager.take();
  const values = gradientIn(buffer, NUM_PARAMETERS);
  if (typeof value === 'number') values.fill(value);
  else values.set(value);
  const [begin, end] = [2 * (index << level), 2 * ((index + 1) << level)];
  const statistics = {
    timeSteps: batch.timeSteps.slice(begin, end),
    logLikelihoods: batch.logLikelihoods.slice(begin, end),
  };
  averager.add(step, { node: { level, index }, buffer, lent: lent !== undefined, statistics }, hash);
}

test('the average is the sum along the tree, and the replica has applied it', async (t) => {
  const { averager, replica } = start(t);
  const averaged = once(averager, 'averaged') as Promise<[Averaged]>;
  const hashed = once(averager, 'hash') as Promise<[{ step: number; hash: string }]>;
  add(averager, 0, 0, 3, 8, true);
  add(averager, 0, 1, 0, 3, true);
  add(averager, 0, 0, 2, 4, true);
  const [{ step, buffer, statistics, crcs, update, chain, checksums, gradientNorm }] = await averaged;
  assert.deepEqual([...gradientIn(buffer, NUM_PARAMETERS)], Array(NUM_PARAMETERS).fill(15));
  assert.equal(step, 0);
  assert.equal(gradientNorm, Math.sqrt(7 * 225));
  assert.deepEqual(statistics, batch);
  assert.deepEqual(crcs, statisticsFrames(batch).map(checksum));
  assert.equal(chain, nextLink(CHAIN_START, 0, [...checksums, ...crcs], { ...update }));

  const expected = new Replica(NUM_PARAMETERS, NUM_STEPS);
  expected.parameters.fill(1);
  expected.gradient.fill(15);
  expected.apply(planUpdate(training, 0, 7 * 225));
  new LossTracker(expected.components).observeBatch(batch.timeSteps, batch.logLikelihoods, model);
  const [hash] = await hashed;
  assert.deepEqual(hash, { step: 1, hash: expected.hash() });
  assert.deepEqual(replica.parameters, expected.parameters);
  assert.deepEqual(replica.components, expected.components);
});

test('averages are put where others see them while there is room, and elsewhere while there is none', async (t) => {
  const places = [new SharedArrayBuffer(gradientBytes(NUM_PARAMETERS))];
  const { averager } = start(t, undefined, undefined, places);
  const lent = new SharedArrayBuffer(gradientBytes(NUM_PARAMETERS));
  const read = new Float32Array(NUM_PARAMETERS);
  const average = async (step: number): Promise<Averaged> => {
    const averaged = once(averager, 'averaged') as Promise<[Averaged]>;
    add(averager, step, 1, 0, 1 + step, false, lent);
    add(averager, step, 1, 1, 2);
    return (await averaged)[0];
  };
  const first = await average(0);
  assert.equal(first.place!.place, 0);
  assert.ok(readStamped(places[0]!, read, first.place!.stamp));
  assert.deepEqual([...read], Array(NUM_PARAMETERS).fill(3));
  const second = await average(1);
  assert.equal(second.place, undefined);
  assert.deepEqual([...gradientIn(second.buffer, NUM_PARAMETERS)], Array(NUM_PARAMETERS).fill(4));
  assert.ok(readStamped(places[0]!, read, first.place!.stamp), 'the first is there until it is released');
  averager.release(first);
  const third = await average(2);
  assert.ok(readStamped(places[0]!, read, third.place!.stamp));
  assert.ok(!readStamped(places[0]!, read, first.place!.stamp));
  assert.equal(read[0], 5);
});

test('sums of another step change nothing, and their buffers come back', async (t) => {
  const { averager } = start(t);
  add(averager, 3, 2, 0, 100);
  const averaged = once(averager, 'averaged') as Promise<[Averaged]>;
  add(averager, 0, 2, 0, 2);
  const [{ step, buffer }] = await averaged;
  assert.deepEqual([step, new Float32Array(buffer)[0]], [0, 2]);
});

test('a sum that is not finite is no step', async (t) => {
  const { averager, replica } = start(t);
  const nonfinite = once(averager, 'nonfinite');
  add(averager, 0, 1, 0, 3e38);
  add(averager, 0, 1, 1, 3e38);
  assert.deepEqual(await nonfinite, [0]);
  assert.equal(replica.parameters[0], 1);
});

test('a snapshot is a copy of one step, whatever comes after it', async (t) => {
  const { averager, replica } = start(t);
  const snapshot = averager.snapshot();
  const averaged = once(averager, 'averaged');
  add(averager, 0, 2, 0, 5);
  const { step, chain, buffer } = await snapshot;
  await averaged;
  const later = await averager.snapshot();
  assert.deepEqual([step, chain], [0, CHAIN_START]);
  const [before, after] = [stateIn(buffer, model), stateIn(later.buffer, model)];
  assert.deepEqual([...before.parameters], Array(NUM_PARAMETERS).fill(1));
  assert.ok(before.components.every(Number.isNaN));
  assert.equal(later.step, 1);
  for (const array of ARRAYS) assert.deepEqual([...after[array]], [...replica[array]], array);
  assert.notEqual(after.parameters[0], 1);
  assert.ok(after.components[5]! > 0 && Number.isNaN(after.components[3]!));
});

test('what an average lacks is in the next, in snapshots, and gone once a state comes from elsewhere', async (t) => {
  const codec: CodecConfig = { kind: 'top-k', density: 0.25 };
  const { averager, replica } = start(t, codec, new SharedArrayBuffer(4 * NUM_PARAMETERS));
  const published = async (step: number, sum: readonly number[]) => {
    const averaged = once(averager, 'averaged') as Promise<[Averaged]>;
    add(averager, step, 2, 0, sum);
    await averaged;
    const { buffer } = await averager.snapshot();
    return { gradient: [...replica.gradient], lacking: [...residualIn(buffer, model)!] };
  };
  // Buckets are of 4 values, and of 3.
  const first = await published(0, [8, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(first, { gradient: [8, 0, 0, 0, 0, 0, 6], lacking: [0, 1, 2, 3, 4, 5, 0] });
  const second = await published(1, [0, 0, 2, 0, 0, 0, 0]);
  assert.deepEqual(second, { gradient: [0, 0, 4, 0, 0, 5, 0], lacking: [0, 1, 0, 3, 4, 0, 0] });
  const { step, chain, buffer } = await averager.snapshot();
  averager.load(step, chain, buffer);
  assert.deepEqual([...residualIn((await averager.snapshot()).buffer, model)!], Array(7).fill(0));
});

test('the average is published in its codec, and everyone applies what is decoded', async (t) => {
  const { averager, replica } = start(t, { kind: 'bf16' });
  const averaged = once(averager, 'averaged') as Promise<[Averaged]>;
  add(averager, 0, 1, 0, 1);
  add(averager, 0, 1, 1, 2 ** -9);
  const [{ buffer, checksums }] = await averaged;
  await averager.snapshot();
  // 1 + 2^-9 is no bfloat16.
  assert.deepEqual([...replica.gradient], Array(NUM_PARAMETERS).fill(1));
  const bytes = new Uint8Array(buffer, 0, 2 * NUM_PARAMETERS);
  assert.deepEqual([...bytes], Array(NUM_PARAMETERS).fill([0x80, 0x3f]).flat());
  assert.deepEqual(checksums, [checksum(bytes.slice(0, 8)), checksum(bytes.slice(8))]);
});
