import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Proxy } from './proxy.js';

/** A socket through a proxy to a server that sends back what it gets. */
async function echoed(t: TestContext): Promise<{ proxy: Proxy; socket: Socket }> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy = await Proxy.open((server.address() as AddressInfo).port);
  const socket = connect(Number(new URL(proxy.address).port), '127.0.0.1');
  await once(socket, 'connect');
  t.after(() => {
    socket.destroy();
    proxy.close();
    server.close();
  });
  return { proxy, socket };
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test('what is sent comes through as it was', async (t) => {
  const { proxy, socket } = await echoed(t);
  assert.equal(await answer(socket, 'hello'), 'hello');
  assert.ok(proxy.isUsed);
});

test('one chunk that is long enough is changed, and no other', async (t) => {
  const { proxy, socket } = await echoed(t);
  proxy.flipNext(4, (chunk) => void (chunk[0]! ^= 1));
  assert.equal(await answer(socket, 'abc'), 'abc');
  assert.equal(await answer(socket, 'abcd'), '`bcd');
  assert.equal(await answer(socket, 'abcd'), 'abcd');
});

test('what is held back comes once the line is healed', async (t) => {
  const { proxy, socket } = await echoed(t);
  proxy.hold();
  const held = answer(socket, 'late');
  let isHere = false;
  void held.then(() => (isHere = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(isHere, false);
  proxy.heal();
  assert.equal(await held, 'late');
});

test('a slow line takes the time of its bytes, and a delayed one its delay', async (t) => {
  const { proxy, socket } = await echoed(t);
  for (const conditions of [{ delayMs: 50 }, { delayMs: 0, bytesPerSecond: 100 }]) {
    proxy.worsen(conditions);
    const started = performance.now();
    await answer(socket, '12345');
    assert.ok(performance.now() - started >= 99, 'there and back');
  }
});

test('a cut closes both ends', async (t) => {
  const { proxy, socket } = await echoed(t);
  assert.equal(await answer(socket, 'hello'), 'hello');
  proxy.cut();
  await once(socket, 'close');
  assert.equal(proxy.isUsed, false);
});
