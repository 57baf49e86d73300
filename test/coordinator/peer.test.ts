import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathering } from '../../coordinator/gathering.js';
import { Peer } from '../../coordinator/peer.js';
import { Exchange } from '../../shared/exchange/exchange.js';
import { PROTOCOL } from '../../shared/protocol/messages.js';

test('what slices took is counted from the step on, or their dealing, or the slices before them', () => {
  const hello = {
    ...{ type: 'hello' as const, protocol: PROTOCOL, version: '1', pid: 1, attempt: 0 },
    ...{ host: 'h', device: 'd', lanes: 1, repeatable: true },
  };
  const exchange = new Exchange({
    ...{ codec: { kind: 'float32' }, seed: 0, bucketBytes: 8 },
    parameters: [],
  });
  const gathering = new Gathering(exchange, 1, 1, () => new SharedArrayBuffer(0));
  const peer = new Peer(hello, gathering, undefined);
  peer.delivered(2, 1000, 3000);
  assert.deepEqual([peer.slices, peer.sliceSeconds], [2, 2]);
  peer.delivered(1, 1000, 3500);
  assert.deepEqual([peer.slices, peer.sliceSeconds], [3, 2.5]);
  peer.delivered(3, 4000, 4500);
  assert.deepEqual([peer.slices, peer.sliceSeconds], [6, 3], 'the wait between two steps is nobody’s');
});
