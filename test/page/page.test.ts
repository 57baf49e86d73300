import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { publicConfig } from '../../shared/page/public-config.js';
import type { RunChange, RunStatus } from '../../shared/page/views.js';
import { temporaryFolder } from '../data/temporary.js';
import { line, log, servePage, START, stepLine, stepLines } from './made-up-run.js';

async function madeUp(t: TestContext): Promise<{ folder: string; url: string }> {
  const folder = path.join(await temporaryFolder(t), 'run');
  log(folder, line('start', 0, START), ...stepLines(1, 3));
  mkdirSync(path.join(folder, 'samples'));
  writeFileSync(path.join(folder, 'samples', 'step-00000003.txt'), '0123456789');
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  writeFileSync(path.join(folder, 'samples', 'notes.txt'), 'secret');
  symlinkSync(path.join(folder, 'secret.txt'), path.join(folder, 'samples', 'step-00000004.txt'));
  return { folder, url: await servePage(t, [folder]) };
}

/** Asks for a path as it is: `fetch` would tidy it. */
function status(url: string, target: string, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, path: target, method }, (answer) => resolve(answer.resume().statusCode!))
      .on('error', reject)
      .end();
  });
}

/** The messages of a stream, until `enough` of them or comments are there. */
async function messages(url: string, enough: (text: string) => boolean, headers = {}): Promise<string> {
  const leaving = new AbortController();
  const answer = await fetch(url, { signal: leaving.signal, headers });
  assert.match(answer.headers.get('content-type')!, /^text\/event-stream/);
  let text = '';
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(bytes).toString();
    if (enough(text)) break;
  }
  leaving.abort();
  return text;
}

const changesIn = (text: string): RunChange[][] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as RunChange[]);

test('the page comes under a policy that lets nothing in from elsewhere', async (t) => {
  const { url } = await madeUp(t);
  const page = await fetch(url);
  assert.match(
    page.headers.get('content-security-policy')!,
    /^default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  const html = await page.text();
  const loaded = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, target]) => target!);
  assert.ok(loaded.length >= 5);
  for (const target of loaded) assert.equal(await status(url, target), 200, target);
  const tag = page.headers.get('etag')!;
  assert.equal((await fetch(url, { headers: { 'if-none-match': tag } })).status, 304);
});

test('only samples are served of the folder, by their names, and no links', async (t) => {
  const { url } = await madeUp(t);
  assert.equal(await status(url, '/api/runs/0/samples/step-00000003.txt'), 200);
  for (const name of [
    ...[
      '../secret.txt',
      '..%2fsecret.txt',
      '..\\secret.txt',
      '%2e%2e/secret.txt',
      '/etc/passwd',
      'notes.txt',
    ],
    ...['step-00000004.txt', 'step-00000005.txt', 'step-00000003.txt/..', 'step-00000003.txt%00', ''],
  ])
    assert.equal(await status(url, `/api/runs/0/samples/${name}`), 404, name);
  for (const target of [
    '/api/runs/1',
    '/api/runs/0/events.jsonl',
    '/api/runs/__proto__',
    '/assets/../page/page.js',
  ])
    assert.equal(await status(url, target), 404, target);
});

test('only GET and HEAD are answered', async (t) => {
  const { url } = await madeUp(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    assert.equal(await status(url, '/api/runs', method), 405);
  assert.equal(await status(url, '/api/stream', 'HEAD'), 200);
});

test('a player that seeks gets the part it asks for', async (t) => {
  const { url } = await madeUp(t);
  const part = (range: string) =>
    fetch(`${url}/api/runs/0/samples/step-00000003.txt`, { headers: { range } });
  const middle = await part('bytes=2-4');
  assert.deepEqual([middle.status, middle.headers.get('content-range')], [206, 'bytes 2-4/10']);
  assert.equal(await middle.text(), '234');
  assert.equal(await (await part('bytes=7-')).text(), '789');
  for (const range of ['bytes=10-', 'bytes=4-2', 'x']) assert.equal((await part(range)).status, 200);
});

test('the stream tells what comes, and goes on where a reader left', async (t) => {
  const { folder, url } = await madeUp(t);
  const stream = `${url}/api/stream?from=0.2`;
  setTimeout(() => log(folder, stepLine(4)), 100);
  const text = await messages(stream, (sofar) => changesIn(sofar).length >= 2);
  assert.deepEqual(
    changesIn(text).map(([run]) => run!.curve.steps),
    [[3], [4]],
  );
  const [, id] = /^id: (.*)$/m.exec(text.slice(text.lastIndexOf('event:')))!;
  assert.equal(id, '0.4');
  const again = await messages(stream, (sofar) => changesIn(sofar).length >= 1, { 'last-event-id': '0.3' });
  assert.deepEqual(changesIn(again)[0]![0]!.curve.steps, [4]);
});

test('too many readers of the stream are turned away; others take the place of those that left', async (t) => {
  const { url } = await madeUp(t);
  const leaving = new AbortController();
  const open = () => fetch(`${url}/api/stream`, { signal: leaving.signal });
  const answers = await Promise.all(Array.from({ length: 40 }, open));
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.equal((await fetch(`${url}/api/stream`)).status, 503);
  leaving.abort();
  for (;;) {
    const again = new AbortController();
    const { status } = await fetch(`${url}/api/stream`, { signal: again.signal });
    again.abort();
    if (status === 200) break;
  }
});

test('a live run tells of its workers, and nothing of keys', async (t) => {
  const { folder } = await madeUp(t);
  const members = () => [{ slot: 0, ready: true, step: 2, silentSeconds: 1, slices: 3, sliceSeconds: 1 }];
  log(folder, line('join', 3, { slot: 0, pid: 1, host: 'atlas', device: 'd' }));
  const url = await servePage(t, [folder], { config: { name: 'n', keys: { secret: 'hunter2' } }, members });
  const [run] = (await (await fetch(`${url}/api/status`)).json()) as RunStatus[];
  assert.deepEqual([run!.name, run!.live, run!.workers[0]!.live!.lag], ['n', true, 1]);
  assert.ok(!(await (await fetch(`${url}/api/runs`)).text()).includes('hunter2'));
});

test('a public config has known sections alone, without what is named as a secret', () => {
  const config = {
    ...{ name: 'x', security: { file: '/k' }, training: { steps: 3 }, checkpoints: { keepLast: 2 } },
    workers: { local: 1, secretKey: 's', nested: { password: 'p', apiToken: 't', rest: [1] } },
  };
  assert.deepEqual(publicConfig(config), {
    ...{ name: 'x', training: { steps: 3 }, checkpoints: { keepLast: 2 } },
    workers: { local: 1, nested: { rest: [1] } },
  });
});
