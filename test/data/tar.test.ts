import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readTarGz } from '../../shared/data/tar.js';
import { noise, tarGz } from './archives.js';

/** Reads an archive that arrives `step` bytes at a time. */
async function read(archive: Uint8Array, step = archive.length): Promise<Map<string, Uint8Array>> {
  const chunks = Array.from({ length: Math.ceil(archive.length / step) }, (_, i) =>
    archive.subarray(i * step, (i + 1) * step),
  );
  const entries = new Map<string, Uint8Array>();
  for await (const [name, bytes] of readTarGz(Readable.from(chunks))) entries.set(name, bytes);
  return entries;
}

test('files come out by name, however the archive arrives; folders are left out', async () => {
  const [one, two] = [noise(512), noise(3_000_000, 2)];
  const archive = tarGz({ 'a/': noise(0), 'a/one': one, 'a/two': two, 'a/empty': noise(0), 'a/last': one });
  for (const step of [archive.length, 10_007]) {
    const entries = await read(archive, step);
    assert.deepEqual([...entries.keys()], ['a/one', 'a/two', 'a/empty', 'a/last']);
    assert.deepEqual(new Uint8Array(entries.get('a/one')!), one);
    assert.ok(Buffer.from(two).equals(entries.get('a/two')!));
    assert.equal(entries.get('a/empty')!.length, 0);
    assert.deepEqual(new Uint8Array(entries.get('a/last')!), one);
  }
});

test('an archive of which only the beginning is wanted is closed', async () => {
  const archive = Readable.from([tarGz({ 'a/one': noise(512), 'a/two': noise(512) })]);
  for await (const [name] of readTarGz(archive)) {
    assert.equal(name, 'a/one');
    break;
  }
  assert.ok(archive.destroyed);
});

test('an archive that ends inside a file is refused', async () => {
  const whole = gunzipSync(tarGz({ 'a/one': noise(5000) }));
  await assert.rejects(read(gzipSync(whole.subarray(0, 3000))), /tar archive is damaged/);
});

test('what is no gzip file, or not a whole one, is refused', async () => {
  const archive = tarGz({ 'a/one': noise(5000) });
  await assert.rejects(read(archive.subarray(0, archive.length - 100)), /unexpected end of file/);
  await assert.rejects(read(noise(100)), /incorrect header check/);
});
