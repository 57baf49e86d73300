import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Gauge, Registry } from 'prom-client';
import { serveHttp } from '../../coordinator/http.js';
import { UsageError, UserError } from '../../shared/errors.js';

async function serve(t: TestContext, registry = new Registry(), address = '127.0.0.1:0'): Promise<string> {
  const server = await serveHttp(address, registry);
  t.after(() => server.close());
  return server.url;
}

test('port 0 takes a free port and tells which', async (t) => {
  const url = await serve(t);
  assert.match(url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
});

test('/metrics is the registry in Prometheus text', async (t) => {
  const registry = new Registry();
  new Gauge({ name: 'a_gauge', help: 'Helps.', registers: [registry] }).set(7);
  const answer = await fetch(`${await serve(t, registry)}/metrics?name=x`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  assert.equal(await answer.text(), '# HELP a_gauge Helps.\n# TYPE a_gauge gauge\na_gauge 7\n');
});

test('/healthz says ok, / names the others, the rest is not found', async (t) => {
  const url = await serve(t);
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n');
  const index = await (await fetch(url)).text();
  assert.ok(index.includes('/metrics') && index.includes('/healthz'));
  assert.equal((await fetch(`${url}/metrics/x`)).status, 404);
});

test('HEAD has the length and no body; other methods are refused', async (t) => {
  const url = await serve(t);
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '3');
  assert.equal(await head.text(), '');
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  assert.equal(post.status, 405);
  assert.equal(post.headers.get('allow'), 'GET, HEAD');
});

test('a metric that fails is an answer of 500, not the end of the run', async (t) => {
  const registry = new Registry();
  const collect = () => {
    throw new Error('no figure');
  };
  new Gauge({ name: 'broken', help: '-', registers: [registry], collect });
  const answer = await fetch(`${await serve(t, registry)}/metrics`);
  assert.equal(answer.status, 500);
  assert.equal(await answer.text(), 'no figure\n');
});

test('a busy port is a UserError that names the address and the way out', async (t) => {
  const address = new URL(await serve(t)).host;
  await assert.rejects(
    serveHttp(address, new Registry()),
    (error) =>
      error instanceof UserError && error.message.includes(address) && /--http HOST:PORT/.test(error.message),
  );
});

test('what is no HOST:PORT is a UsageError', async () => {
  for (const address of ['9464', 'localhost', '127.0.0.1:', 'http://a:1', 'a:70000', '::1:80', '']) {
    await assert.rejects(serveHttp(address, new Registry()), UsageError, address);
  }
});

test('an IPv6 address is given in brackets', async (t) => {
  const url = await serve(t, undefined, '[::1]:0');
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n');
});

test('closing ends connections that are open, at once', { timeout: 3000 }, async () => {
  const server = await serveHttp('127.0.0.1:0', new Registry());
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /metrics HTTP/1.1\r\n');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined); // cut off in the middle of a request: a reset
  await Promise.all([server.close(), closed]);
});
