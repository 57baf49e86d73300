import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { EventFile, record } from '../../../coordinator/tensorboard/event-file.js';
import {
  bytes,
  double,
  doubles,
  float,
  integer,
  message,
} from '../../../coordinator/tensorboard/protobuf.js';
import { scalar } from '../../../coordinator/tensorboard/summary.js';
import { temporaryFolder } from '../../data/temporary.js';

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

test('fields of protobuf messages are encoded as its documentation has them', () => {
  // The examples of https://protobuf.dev/programming-guides/encoding.
  assert.equal(hex(integer(1, 150)), '089601');
  assert.equal(hex(bytes(2, 'testing')), '120774657374696e67');
  assert.equal(hex(bytes(3, integer(1, 150))), '1a03089601');
  assert.equal(hex(double(4, 1)), '21000000000000f03f');
  assert.equal(hex(float(5, 1)), '2d0000803f');
  assert.equal(hex(doubles(16, [1, 0])), '820110000000000000f03f0000000000000000');
  assert.equal(hex(integer(1, 0)), '0800');
  assert.equal(hex(integer(1, 2 ** 53 - 1)), '08ffffffffffffff0f');
  assert.equal(hex(message(integer(1, 1), integer(2, 2))), '08011002');
});

test('a record carries its length and its bytes, each with its masked checksum', () => {
  // CRC-32C of '123456789' is e3069283 (RFC 3720 has more of them), masked as TFRecord defines it.
  const checksum = ((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0;
  const framed = Buffer.from(record(Buffer.from('123456789')));
  assert.equal(framed.readBigUInt64LE(), 9n);
  assert.equal(framed.toString('latin1', 12, 21), '123456789');
  assert.equal(framed.readUInt32LE(21), (checksum + 0xa282ead8) % 2 ** 32);
  assert.equal(framed.length, 25);
});

test('a file is made with its first values, and several are found in the order of their time', async (t) => {
  const folder = await temporaryFolder(t);
  const silent = new EventFile(path.join(folder, 'none'));
  silent.close();
  for (const time of [2e12, 9e11]) {
    const file = new EventFile(folder);
    file.add(1, time, [scalar('a', 1)], 1);
    file.close();
  }
  const names = readdirSync(folder).sort();
  assert.deepEqual(
    names.map((name) => name.split('.')[3]),
    ['0900000000', '2000000000'],
  );
  assert.match(readFileSync(path.join(folder, names[0]!), 'latin1'), /brain\.Event:2/);
});
