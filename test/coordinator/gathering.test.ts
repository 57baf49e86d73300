import assert from 'node:assert/strict';
import test from 'node:test';
import { Gathering } from '../../coordinator/gathering.js';
import type { CodecConfig } from '../../shared/config/schema.js';
import { Exchange } from '../../shared/exchange/exchange.js';
import { bucketBytes, bucketsOf, checksum } from '../../shared/exchange/buckets.js';

const NUM_PARAMETERS = 5;
const BUCKET_BYTES = 8;
const values = Float32Array.of(1, 2, 3, 4, 5);
const subtree = { step: 9, level: 1, index: 3 };
const { step, ...node } = subtree;
const frames = [
  new Uint8Array(Int32Array.of(7, 8, 9, 10).buffer),
  new Uint8Array(new Float64Array(4).buffer),
];

const exchange = new Exchange({
  codec: { kind: 'float32' },
  seed: 0,
  parameters: [{ shape: [NUM_PARAMETERS] }],
  bucketBytes: BUCKET_BYTES,
});
const gathering = (taken: SharedArrayBuffer[] = []) =>
  new Gathering(exchange, 11, 2, () => {
    taken.push(new SharedArrayBuffer(4 * NUM_PARAMETERS));
    return taken.at(-1)!;
  });

const messages = bucketsOf(NUM_PARAMETERS, BUCKET_BYTES).map((bucket) => {
  const bytes = bucketBytes(values, bucket);
  return { header: { ...subtree, ...bucket, crc: checksum(bytes) }, bytes };
});

test('a sum is there once all its buckets and its statistics are, in any order', () => {
  const gathered = gathering();
  const [first, second, third] = messages as [
    (typeof messages)[0],
    (typeof messages)[0],
    (typeof messages)[0],
  ];
  assert.equal(gathered.bucket(third.header, third.bytes), undefined);
  assert.equal(gathered.examples(subtree, frames), undefined);
  assert.equal(gathered.bucket(first.header, first.bytes), undefined);
  const whole = gathered.bucket(second.header, second.bytes);
  assert.ok(typeof whole === 'object' && 'buffer' in whole);
  assert.deepEqual([...new Float32Array(whole.buffer)], [...values]);
  assert.deepEqual([whole.node, [...whole.statistics.timeSteps]], [node, [7, 8, 9, 10]]);
});

test('a sum that its sender keeps is whole with its statistics, and its buffer is not handed back', () => {
  const taken: SharedArrayBuffer[] = [];
  const gathered = gathering(taken);
  const lent = new SharedArrayBuffer(4 * NUM_PARAMETERS);
  assert.equal(gathered.sum(subtree, lent), undefined);
  assert.equal(gathered.sum(subtree, lent), 'a sum twice');
  assert.equal(gathered.bucket(messages[0]!.header, messages[0]!.bytes), 'a bucket twice');
  assert.deepEqual(gathered.examples(subtree, frames), {
    ...{ node, buffer: lent, lent: true },
    statistics: { timeSteps: Int32Array.of(7, 8, 9, 10), logLikelihoods: new Float64Array(4) },
  });
  gathered.sum({ ...subtree, step: step + 1 }, lent);
  assert.deepEqual([gathered.drain(), taken], [[], []]);
});

test('sums of several subtrees do not mix', () => {
  const gathered = gathering();
  for (const index of [0, 1])
    for (const { header, bytes } of messages) gathered.bucket({ ...header, index }, bytes);
  for (const index of [0, 1]) {
    const whole = gathered.examples({ step, level: 1, index }, frames);
    assert.ok(typeof whole === 'object' && 'buffer' in whole);
    assert.deepEqual(whole.node, { level: 1, index });
  }
});

test('what an earlier step left incomplete is no part of a later one', () => {
  const taken: SharedArrayBuffer[] = [];
  const gathered = gathering(taken);
  for (const { header, bytes } of messages.slice(1)) gathered.bucket(header, new Uint8Array(bytes));
  const later = step + 1;
  gathered.examples({ ...subtree, step: later }, frames);
  const [first, ...rest] = messages;
  assert.equal(gathered.bucket({ ...first!.header, step: later }, first!.bytes), undefined);
  const last = rest.map(({ header, bytes }) => gathered.bucket({ ...header, step: later }, bytes)).at(-1);
  assert.ok(typeof last === 'object');
  assert.equal(taken.length, 1, 'the buffer is used again');
});

test('what does not fit is refused in words', () => {
  const { header, bytes } = messages[0]!;
  const refused = (changes: object, frame = bytes) => gathering().bucket({ ...header, ...changes }, frame);
  assert.equal(refused({ offset: 1 }), 'no bucket of 2 values at 1');
  assert.equal(refused({ length: 1 }), 'no bucket of 1 values at 0');
  assert.equal(refused({}, bytes.subarray(1)), 'a bucket of 7 bytes');
  assert.equal(refused({ crc: header.crc ^ 1 }), 'a bucket whose checksum is wrong');
  assert.equal(gathering().bucket(header, undefined), 'a bucket of 0 bytes');
  assert.equal(gathering().examples(subtree, [frames[0]!]), 'statistics of another number of examples');
  const steps = (...list: number[]) => [new Uint8Array(Int32Array.from(list).buffer), frames[1]!];
  assert.equal(gathering().examples(subtree, steps(7, 8, 9, 11)), 'a time step that is not one of 11');
  assert.equal(gathering().examples(subtree, steps(-1, 8, 9, 10)), 'a time step that is not one of 11');
  const nats = new Uint8Array(Float64Array.of(-1, -2, NaN, -3).buffer);
  assert.equal(gathering().examples(subtree, [frames[0]!, nats]), 'a log-likelihood that is not finite');
  const twice = gathering();
  twice.bucket(header, bytes);
  assert.equal(twice.bucket(header, bytes), 'a bucket twice');
  twice.examples(subtree, frames);
  assert.equal(twice.examples(subtree, frames), 'statistics twice');
});

test('buffers of what stays incomplete come back', () => {
  const taken: SharedArrayBuffer[] = [];
  const gathered = gathering(taken);
  const { header, bytes } = messages[0]!;
  gathered.bucket(header, bytes);
  gathered.bucket({ ...header, index: 4 }, bytes);
  assert.deepEqual(gathered.drain(), taken);
  assert.deepEqual(gathered.drain(), []);
});

test('encoded buckets come decoded; what can be none is refused', () => {
  const exchangeOf = (codec: CodecConfig) =>
    new Exchange({ codec, seed: 0, parameters: [{ shape: [NUM_PARAMETERS] }], bucketBytes: 1024 });
  const gather = (codec: CodecConfig, bytes: Uint8Array) => {
    const gathered = new Gathering(exchangeOf(codec), 11, 2, () => new SharedArrayBuffer(4 * NUM_PARAMETERS));
    gathered.examples(subtree, frames);
    const header = { ...subtree, offset: 0, length: NUM_PARAMETERS, crc: checksum(bytes) };
    const whole = gathered.bucket(header, bytes);
    return typeof whole === 'object' && 'buffer' in whole ? [...new Float32Array(whole.buffer)] : whole;
  };
  const int8: CodecConfig = { kind: 'int8', rounding: 'dither' };
  assert.deepEqual(gather(int8, Uint8Array.of(126, 1, 2, 255, 0, 127)), [1, 2, -1, 0, 127]);
  assert.equal(gather(int8, Uint8Array.of(126, 1, 2, 255, 0)), 'a bucket of 5 bytes');
  assert.equal(gather(int8, Uint8Array.of(250, 1, 2, 255, 0, 127)), 'a bucket with a scale that is none');
  const infinite = new Uint8Array(Uint16Array.of(0, 0, 0x7f80, 0, 0).buffer);
  assert.deepEqual(gather({ kind: 'bf16' }, infinite), { nonfinite: 'parameters 0 to 4' });
});
