import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { byCommand, byWebhook } from '../../coordinator/delivery.js';
import { temporaryFolder } from '../data/temporary.js';

const never = new AbortController().signal;
const IMPATIENT = { timeoutMs: 300, pausesMs: [10, 10] };

/** A server that answers as told and keeps what it got; its address ends in a secret. */
async function receiver(t: TestContext, answer: (nth: number, response: ServerResponse) => void) {
  const got: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => answer(got.push({ request, body }), response));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret?a=b` };
}

/** Rejects with a reason that does not tell where it was to go. */
async function reasonOf(delivery: Promise<void>): Promise<string> {
  const error = await delivery.then(
    () => assert.fail('it was delivered'),
    (error: Error) => error,
  );
  assert.doesNotMatch(error.message, /s3cret|127\.0\.0\.1/);
  return error.message;
}

test('a webhook gets the notice by POST, as JSON', async (t) => {
  const { got, url } = await receiver(t, (_, response) => response.writeHead(204).end());
  await byWebhook(url)('{"notice":"done"}', never);
  const [{ request, body }] = got as [(typeof got)[number]];
  assert.deepEqual([request.method, request.url], ['POST', '/hooks/s3cret?a=b']);
  assert.equal(request.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(body), { notice: 'done' });
});

test('a receiver that is busy, gone or silent is tried again, so often and no more', async (t) => {
  const busy = await receiver(t, (nth, response) => response.writeHead([503, 429, 200][nth - 1]!).end());
  await byWebhook(busy.url, IMPATIENT)('', never);
  assert.equal(busy.got.length, 3);

  const broken = await receiver(t, (_, response) => response.writeHead(500).end());
  assert.equal(await reasonOf(byWebhook(broken.url, IMPATIENT)('', never)), 'HTTP 500');
  assert.equal(broken.got.length, 3);

  const silent = await receiver(t, () => undefined);
  assert.equal(await reasonOf(byWebhook(silent.url, IMPATIENT)('', never)), 'no answer in time');
  assert.equal(silent.got.length, 3);

  const gone = byWebhook('http://127.0.0.1:1/s3cret', IMPATIENT)('', never);
  assert.match(await reasonOf(gone), /^ECONNREFUSED|it could not be reached$/);
});

test('what a receiver refuses, or sends elsewhere, is not tried again', async (t) => {
  const refusing = await receiver(t, (_, response) => response.writeHead(404).end('no such hook'));
  assert.equal(await reasonOf(byWebhook(refusing.url, IMPATIENT)('', never)), 'HTTP 404');
  assert.equal(refusing.got.length, 1);

  const moved = await receiver(t, (_, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end(),
  );
  assert.equal(await reasonOf(byWebhook(moved.url, IMPATIENT)('', never)), 'HTTP 302');
  assert.equal(moved.got.length, 1);
});

test('the end of a run ends what is still tried', async (t) => {
  const silent = await receiver(t, () => undefined);
  const limit = AbortSignal.timeout(100);
  const began = performance.now();
  assert.equal(await reasonOf(byWebhook(silent.url)('', limit)), 'no answer in time');
  assert.equal(await reasonOf(byCommand(['sleep', '60'])('', limit)), 'it did not end in time');
  assert.ok(performance.now() - began < 5_000);
});

test('a command gets the notice on its standard input, and its arguments as they are', async (t) => {
  const file = path.join(await temporaryFolder(t), "it's $HOME; `x`");
  await byCommand(['tee', file])('{"notice":"best"}\n', never);
  assert.equal(readFileSync(file, 'utf8'), '{"notice":"best"}\n');
  // It need not read.
  await byCommand(['true'])('x'.repeat(1_000_000), never);
});

test('a command that fails, hangs or is not there is told of without its arguments', async (t) => {
  const file = path.join(await temporaryFolder(t), 's3cret');
  assert.equal(
    await reasonOf(byCommand(['sh', '-c', 'exit 3', 's3cret'])('', never)),
    'it ended with exit code 3',
  );
  assert.equal(await reasonOf(byCommand(['sh', '-c', 'kill -9 $$'])('', never)), 'it ended with SIGKILL');
  const late = byCommand(['sh', '-c', `sleep 60; touch ${file}`], 200)('', never);
  assert.equal(await reasonOf(late), 'it did not end in time');
  assert.equal(existsSync(file), false);
  assert.equal(await reasonOf(byCommand(['/nowhere/s3cret'])('', never)), "it can't be started: ENOENT");
});
