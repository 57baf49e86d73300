import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import { download } from '../../shared/data/download.js';
import type { Download } from '../../shared/data/source.js';
import { describeFile, noise } from './archives.js';
import { NOBODY, send, serve } from './server.js';
import { temporaryFolder } from './temporary.js';

const bytes = noise(300_000);
const fileAt = (...addresses: string[]): Download => ({ ...describeFile('file.gz', bytes), addresses });

test('a file is downloaded whole, as it is packed, with its progress', async (t) => {
  const folder = await temporaryFolder(t);
  const encodings: unknown[] = [];
  const address = await serve(t, (request, response) => {
    encodings.push(request.headers['accept-encoding']);
    send(request, response, bytes);
  });
  const lines: string[] = [];
  const destination = path.join(folder, 'new', 'file.gz');
  await download(fileAt(address), destination, { report: (line) => lines.push(line) });
  assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
  assert.deepEqual(readdirSync(path.dirname(destination)), ['file.gz']);
  assert.deepEqual(encodings, ['identity']);
  assert.equal(lines.at(-1), 'file.gz: 0.3 of 0.3 MB');
});

test('a connection that breaks is continued where it broke', async (t) => {
  const folder = await temporaryFolder(t);
  const ranges: unknown[] = [];
  const address = await serve(t, (request, response) => {
    ranges.push(request.headers.range);
    send(request, response, bytes, ranges.length === 1 ? 100_000 : Infinity);
  });
  const destination = path.join(folder, 'file.gz');
  await download(fileAt(address), destination);
  assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
  assert.deepEqual(ranges, [undefined, 'bytes=100000-']);
});

test('an earlier download that was left is continued; so is that of a process that died', async (t) => {
  const folder = await temporaryFolder(t);
  const ranges: unknown[] = [];
  const address = await serve(t, (request, response) => {
    ranges.push(request.headers.range);
    send(request, response, bytes);
  });
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const destination = path.join(folder, 'file.gz');
  for (const left of ['.part', `.part-${hostname()}-${dead}-1`]) {
    writeFileSync(destination + left, bytes.subarray(0, 1234));
    await download(fileAt(address), destination);
    assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
    assert.deepEqual(readdirSync(folder), ['file.gz']);
  }
  assert.deepEqual(ranges, ['bytes=1234-', 'bytes=1234-']);
});

test('what a living process or another host is writing is left alone', async (t) => {
  const folder = await temporaryFolder(t);
  const address = await serve(t, (request, response) => send(request, response, bytes));
  const destination = path.join(folder, 'file.gz');
  const others = [`file.gz.part-${hostname()}-${process.pid}-999`, 'file.gz.part-elsewhere-1-1'];
  for (const other of others) writeFileSync(path.join(folder, other), 'theirs');
  await download(fileAt(address), destination);
  for (const other of others) assert.equal(readFileSync(path.join(folder, other), 'utf8'), 'theirs');
});

test('two downloads of one file at the same time both succeed', async (t) => {
  const folder = await temporaryFolder(t);
  const address = await serve(t, (request, response) => send(request, response, bytes));
  const destination = path.join(folder, 'file.gz');
  await Promise.all([download(fileAt(address), destination), download(fileAt(address), destination)]);
  assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
  assert.deepEqual(readdirSync(folder), ['file.gz']);
});

test('a server that cannot continue sends everything again', async (t) => {
  const folder = await temporaryFolder(t);
  const address = await serve(t, (_request, response) => response.end(bytes));
  const destination = path.join(folder, 'file.gz');
  writeFileSync(`${destination}.part`, bytes.subarray(0, 1234));
  await download(fileAt(address), destination);
  assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
});

test('a left part that is wrong or too long is thrown away and fetched anew', async (t) => {
  const folder = await temporaryFolder(t);
  const address = await serve(t, (request, response) => send(request, response, bytes));
  const destination = path.join(folder, 'file.gz');
  for (const left of [noise(5000, 2), noise(bytes.length, 2), noise(bytes.length + 1, 2)]) {
    writeFileSync(`${destination}.part`, left);
    await download(fileAt(address), destination);
    assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
  }
});

test('the next address is asked when one is gone, refuses, or sends something else', async (t) => {
  const folder = await temporaryFolder(t);
  const altered = bytes.slice();
  altered[7]! ^= 1;
  const base = await serve(t, (request, response) => {
    if (request.url === '/good') send(request, response, bytes);
    else if (request.url === '/altered') send(request, response, altered);
    else if (request.url === '/long') send(request, response, noise(bytes.length + 1));
    else response.writeHead(404).end();
  });
  const destination = path.join(folder, 'file.gz');
  const bad = [NOBODY, `${base}gone`, `${base}altered`, `${base}long`];
  const lines: string[] = [];
  await download(fileAt(...bad, `${base}good`), destination, { report: (line) => lines.push(line) });
  assert.deepEqual(new Uint8Array(readFileSync(destination)), bytes);
  const failures = lines.filter((line) => line.startsWith('http'));
  assert.match(failures[0]!, /127\.0\.0\.1:2\/: connect ECONNREFUSED/);
  assert.match(failures[1]!, /gone: answers 404/);
  assert.match(failures[2]!, /altered: what it sends is altered: sha256/);
  assert.match(failures[3]!, /long: sends more than 300000 bytes/);
});

test('when no address gives the file, each is named with its reason', async (t) => {
  const folder = await temporaryFolder(t);
  const address = await serve(t, (_request, response) => response.writeHead(503).end());
  await assert.rejects(download(fileAt(NOBODY, address), path.join(folder, 'file.gz')), (error: Error) => {
    const [first, second, ...rest] = error.message.split('\n');
    return (
      first!.startsWith(NOBODY) &&
      second === `${address}: answers 503 Service Unavailable` &&
      rest.length === 0
    );
  });
  assert.deepEqual(readdirSync(folder), []);
});

test('a server that falls silent is given up, and what came is kept', async (t) => {
  const folder = await temporaryFolder(t);
  let requests = 0;
  const address = await serve(t, (_request, response) => {
    requests++;
    if (requests > 1) return;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1000));
  });
  const destination = path.join(folder, 'file.gz');
  await assert.rejects(
    download(fileAt(address), destination, { stallSeconds: 0.2 }),
    /nothing came for 0.2 s/,
  );
  assert.equal(requests, 2);
  assert.deepEqual(readdirSync(folder), ['file.gz.part']);
  assert.deepEqual(new Uint8Array(readFileSync(`${destination}.part`)), bytes.slice(0, 1000));
});

test('an abort ends a download at once with its reason, and what came is kept', async (t) => {
  const folder = await temporaryFolder(t);
  const abort = new AbortController();
  const reason = new Error('enough');
  const address = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1000));
  });
  const destination = path.join(folder, 'file.gz');
  const report = () => abort.abort(reason);
  await assert.rejects(
    download(fileAt(address, address), destination, { report, signal: abort.signal }),
    (error) => error === reason,
  );
  assert.equal(readFileSync(`${destination}.part`).length, 1000);
});

test('a folder that cannot be written is a user error that names it', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'taken'), '');
  await assert.rejects(
    download(fileAt(NOBODY), path.join(folder, 'taken', 'file.gz')),
    (error) => error instanceof UserError && /can't write .*file\.gz.*ARDM_CACHE/.test(error.message),
  );
});
