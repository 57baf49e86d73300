import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { countOf, flatten, parseFlax, toFloat32, type FlaxTree } from '../../shared/checkpoint/flax.js';
import { MessagePackError } from '../../shared/checkpoint/message-pack.js';
import { FIXTURES } from '../parity/fixture.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { encodeFlax, float32, int32, NumpyArray } from './flax-file.js';

const bytesOf = (name: string) => readFileSync(path.join(FIXTURES, name));
const arraysOf = (tree: FlaxTree) =>
  new Map([...flatten(tree)].map(([name, array]) => [name, [array.shape, [...toFloat32(array)]]]));
const counting = (length: number, scale: number) => Array.from({ length }, (_, i) => (i + 1) * scale);

test('arrays come out as Flax wrote them', () => {
  const state = parseFlax(bytesOf('flax-images.msgpack')).get('train_state') as FlaxTree;
  const expected = (scale: number) =>
    new Map([
      ['Embed_0/embedding', [[4, 2], counting(8, scale)]],
      ['down_0.block_0/conv1/bias', [[4], counting(4, scale)]],
      ['down_0.block_0/conv1/kernel', [[3, 3, 2, 4], counting(72, scale)]],
    ]);
  assert.deepEqual(arraysOf(state.get('params') as FlaxTree), expected(1));
  assert.deepEqual(arraysOf(state.get('ema_params') as FlaxTree), expected(0.5));
  assert.equal(countOf(state.get('step')), 1170);
});

test('arrays that Flax has split are joined', () => {
  const state = parseFlax(bytesOf('flax-text.msgpack'));
  const { shape, parts } = flatten(state.get('params') as FlaxTree).get('down_0.block_0/conv1/kernel')!;
  assert.equal(parts.length, 3);
  assert.deepEqual(shape, [3, 3, 2, 4]);
  const [, kernel] = arraysOf(state.get('params') as FlaxTree).get('down_0.block_0/conv1/kernel')!;
  assert.deepEqual(kernel, counting(72, 1));
  assert.equal(countOf(state.get('step')), 70_000);
});

test('named tuples of old versions are maps of their fields', () => {
  const tuple = {
    name: 'State',
    fields: { 0: 'count', 1: 'mu' },
    values: { 0: int32(7), 1: { a: int32(8) } },
  };
  const tree = parseFlax(encodeFlax({ tuple })).get('tuple') as FlaxTree;
  assert.deepEqual([...tree.keys()], ['count', 'mu']);
  assert.equal(countOf(tree.get('count')), 7);
  assert.equal(countOf((tree.get('mu') as FlaxTree).get('a')), 8);
});

test('float64 is rounded to float32', () => {
  const double = new NumpyArray([2], 'float64', Buffer.from(Float64Array.of(0.1, 1 / 3).buffer));
  const [[, values]] = [...arraysOf(parseFlax(encodeFlax({ double }))).values()] as [[unknown, number[]]];
  assert.deepEqual(values, [Math.fround(0.1), Math.fround(1 / 3)]);
});

test('an array whose bytes are not those of its shape is told by its path', () => {
  const tree = { params: { dense: { kernel: float32([2, 3], new Float32Array(5)) } } };
  assert.throws(
    () => parseFlax(encodeFlax(tree)),
    /^MessagePackError: "params\/dense\/kernel", float32 \[2, 3\], takes 24 bytes and has 20$/,
  );
});

test('an array that is packed in another way is told by its path', () => {
  const packed = (...data: number[]) =>
    Buffer.concat([
      Buffer.from('\x81\xa6params\x81\xa3odd\xc7', 'latin1'),
      Uint8Array.of(data.length, 1, ...data),
    ]);
  assert.throws(
    () => parseFlax(packed(0x93, 1)),
    /^MessagePackError: in "params\/odd", it is truncated: 1 bytes from byte 2 on/,
  );
  assert.throws(
    () => parseFlax(packed(0x91, 1)),
    /^MessagePackError: "params\/odd" is not packed as shape, type and bytes$/,
  );
});

test('a file cut short anywhere is refused', () => {
  const bytes = bytesOf('flax-text.msgpack');
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => parseFlax(bytes.subarray(0, length)), MessagePackError, `${length} bytes`);
});

test('whatever byte is changed, a file is read or refused', () => {
  const random = stream(1, PURPOSE.sample);
  const bytes = bytesOf('flax-text.msgpack');
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    const altered = Uint8Array.from(bytes);
    altered[at] = Math.floor(256 * random.uniform());
    try {
      for (const array of flatten(parseFlax(altered)).values()) toFloat32(array);
    } catch (error) {
      assert.ok(error instanceof MessagePackError, `byte ${at}: ${(error as Error).stack}`);
      refused++;
    }
  }
  assert.ok(refused > 100);
});
