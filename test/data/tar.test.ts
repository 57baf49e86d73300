import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readTarGz } from '../../shared/data/tar.js';
import { noise, tarGz } from './archives.js';

test('files come out by name, folders are left out', async () => {
  const [one, two] = [noise(512), noise(1000, 2)];
  const entries = await readTarGz(tarGz({ 'a/': noise(0), 'a/one': one, 'a/two': two, 'a/empty': noise(0) }));
  assert.deepEqual([...entries.keys()], ['a/one', 'a/two', 'a/empty']);
  assert.deepEqual(new Uint8Array(entries.get('a/one')!), one);
  assert.deepEqual(new Uint8Array(entries.get('a/two')!), two);
  assert.equal(entries.get('a/empty')!.length, 0);
});

test('an archive that ends inside a file is refused', async () => {
  const whole = gunzipSync(tarGz({ 'a/one': noise(5000) }));
  await assert.rejects(readTarGz(gzipSync(whole.subarray(0, 3000))), /tar archive is damaged/);
});

test('what is no gzip file, or not a whole one, is refused', async () => {
  const archive = tarGz({ 'a/one': noise(5000) });
  await assert.rejects(readTarGz(archive.subarray(0, archive.length - 100)), /unexpected end of file/);
  await assert.rejects(readTarGz(noise(100)), /incorrect header check/);
});
