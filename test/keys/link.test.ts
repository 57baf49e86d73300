import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { RouterLink } from '../../coordinator/worker-link.js';
import { createPair, type CoordinatorKeys, type WorkerKeys } from '../../shared/keys/keys.js';
import { DealerLink } from '../../worker/coordinator-link.js';

const PATIENCE = { timeout: 30_000 };
const own = createPair();
const a = createPair();

/** A coordinator's link that lets `a` in, or anyone where keys is null, and what it has heard and refused. */
async function listening(t: TestContext, keys: CoordinatorKeys | null = lets('a', a.publicKey)) {
  const link = new RouterLink(1 << 20, keys ?? undefined);
  const refused: string[] = [];
  const address = await link.listen('tcp://127.0.0.1:0', {
    hungUp: () => undefined,
    unreachable: () => undefined,
    refused: (reason) => refused.push(reason),
  });
  const heard: string[] = [];
  void (async () => {
    for await (const { parts } of link.receive()) heard.push(Buffer.from(parts[0]!).toString());
  })().catch(() => undefined);
  t.after(() => link.close());
  return { link, address, heard, refused };
}

const lets = (name: string, key: string): CoordinatorKeys => ({
  own,
  nameOf: (publicKey) => (publicKey === key ? name : undefined),
});

/** A worker's link that says hello, and what it was told of refusals. */
function joining(t: TestContext, address: string, keys: WorkerKeys | undefined) {
  const told: { reason: string; isFinal: boolean }[] = [];
  const link = new DealerLink(address, 'w', 1 << 20, keys, (reason, isFinal) =>
    told.push({ reason, isFinal }),
  );
  link.post([Buffer.from('hello')]);
  t.after(() => link.close());
  return told;
}

const worker = (pair = a, coordinator = own.publicKey): WorkerKeys => ({ name: 'a', own: pair, coordinator });

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('a key that is allowed comes in', PATIENCE, async (t) => {
  const { address, heard, refused } = await listening(t);
  joining(t, address, worker());
  await until(() => heard.length > 0);
  assert.deepEqual([heard, refused], [['hello'], []]);
});

test('a key that is not allowed is refused before it is heard; both sides learn why', PATIENCE, async (t) => {
  const { address, heard, refused } = await listening(t);
  const stranger = createPair();
  const told = joining(t, address, worker(stranger));
  await until(() => told.length > 0);
  assert.match(told[0]!.reason, /does not let the key of "a" in: it was never added there, or was removed/);
  assert.ok(told[0]!.isFinal);
  assert.deepEqual(refused, [`127.0.0.1: its key ${stranger.publicKey} is not allowed`]);
  assert.deepEqual(heard, []);
});

test(
  "a worker that knows another coordinator's key is not heard, and is told to look",
  PATIENCE,
  async (t) => {
    const { address, heard, refused } = await listening(t);
    const told = joining(t, address, worker(a, createPair().publicKey));
    await until(() => told.length > 0);
    assert.match(told[0]!.reason, /another key than the one that "a" was made for/);
    assert.ok(!told[0]!.isFinal, 'a line that is cut looks the same');
    assert.ok(refused.length >= 3);
    assert.deepEqual(heard, []);
  },
);

test(
  'a worker without keys gives up where they are wanted, and one with keys where none are',
  PATIENCE,
  async (t) => {
    const withKeys = await listening(t);
    const without = await listening(t, null);
    const first = joining(t, withKeys.address, undefined);
    const second = joining(t, without.address, worker());
    await until(() => Boolean(first.at(-1)?.isFinal && second.at(-1)?.isFinal));
    assert.match(first.at(-1)!.reason, /wants keys \(--keys FILE\)/);
    assert.match(second.at(-1)!.reason, /wants no keys/);
    assert.deepEqual([withKeys.heard, without.heard], [[], []]);
  },
);

test('without keys anyone comes in', PATIENCE, async (t) => {
  const { address, heard } = await listening(t, null);
  joining(t, address, undefined);
  await until(() => heard.length > 0);
});

test('two coordinators of one process ask their own keys', PATIENCE, async (t) => {
  const other = createPair();
  const [first, second] = [await listening(t), await listening(t, lets('b', other.publicKey))];
  joining(t, first.address, worker());
  joining(t, second.address, worker(other));
  await until(() => first.heard.length > 0 && second.heard.length > 0);
  const told = joining(t, second.address, worker());
  await until(() => told.length > 0);
  assert.equal(first.refused.length, 0);
});

test('what is no peer is cut off and told of, and others come in meanwhile', PATIENCE, async (t) => {
  const { address, heard, refused } = await listening(t);
  const greet = async (bytes: Uint8Array | string) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    socket.write(bytes);
    await closed;
  };
  await greet(Buffer.alloc(100, 0xff));
  await until(() => refused.length > 0);
  assert.match(refused[0]!, /ended in the handshake/);
  // The first version of the protocol, which knows no keys, is not spoken.
  await greet(Uint8Array.of(1, 0, 6, 0, ...Buffer.from('hello')));
  await greet('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  joining(t, address, worker());
  await until(() => heard.length > 0);
  assert.deepEqual(heard, ['hello']);
});

test('a frame that is larger than any cuts its connection', PATIENCE, async (t) => {
  const { link, address, heard } = await listening(t);
  const peer = new DealerLink(address, 'w', 1 << 20, worker());
  t.after(() => peer.close());
  peer.post([Buffer.alloc((1 << 20) + 1)]);
  await until(() => link.connections > 0);
  peer.post([Buffer.from('after')]);
  await until(() => heard.length > 0);
  assert.deepEqual(heard, ['after']);
});
