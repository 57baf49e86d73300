import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outbox } from '../../shared/protocol/outbox.js';

test('messages go out in order, one at a time, and are counted', async () => {
  const sent: number[] = [];
  let pending = 0;
  const outbox = new Outbox(
    {
      async send([part]) {
        assert.equal(++pending, 1, 'a socket takes one pending send');
        await sleep(1);
        pending--;
        sent.push(part![0]!);
      },
    },
    (error) => assert.fail(String(error)),
  );
  for (let i = 0; i < 5; i++) outbox.post([Uint8Array.of(i)]);
  assert.equal(outbox.bytes, 5);
  await outbox.flush();
  assert.deepEqual(sent, [0, 1, 2, 3, 4]);
});

test('a failed send is reported and the next goes on', async () => {
  const errors: unknown[] = [];
  const outbox = new Outbox(
    { send: ([part]) => (part![0] === 0 ? Promise.reject(new Error('gone')) : Promise.resolve()) },
    (error) => errors.push(error),
  );
  outbox.post([Uint8Array.of(0)]);
  outbox.post([Uint8Array.of(1)]);
  await outbox.flush();
  assert.equal(errors.length, 1);
});
