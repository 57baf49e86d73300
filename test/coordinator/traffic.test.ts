import assert from 'node:assert/strict';
import test from 'node:test';
import { Traffic } from '../../coordinator/traffic.js';

test('bytes of all parts are counted by direction and type, and start anew once taken', () => {
  const traffic = new Traffic();
  traffic.count('in', 'gradient', [new Uint8Array(10), new Uint8Array(200)]);
  traffic.count('in', 'gradient', [new Uint8Array(5)]);
  traffic.count('in', 'alive', [new Uint8Array(1)]);
  traffic.count('out', 'average', [new Uint8Array(7)]);
  assert.deepEqual(traffic.take(), {
    bytesIn: 216,
    bytesOut: 7,
    bytesByType: { in: { gradient: 215, alive: 1 }, out: { average: 7 } },
  });
  assert.deepEqual(traffic.take(), { bytesIn: 0, bytesOut: 0, bytesByType: { in: {}, out: {} } });
});
