import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import { defaultCacheFolder, findFiles, onDisk, writeWhole } from '../../shared/data/cache.js';
import { describeFile, noise } from './archives.js';
import { temporaryFolder } from './temporary.js';

test('the cache folder is ARDM_CACHE, else in XDG_CACHE_HOME, else in the home folder', () => {
  assert.equal(defaultCacheFolder({ ARDM_CACHE: '/a/b', XDG_CACHE_HOME: '/x' }), '/a/b');
  assert.equal(defaultCacheFolder({ XDG_CACHE_HOME: '/x' }), path.join('/x', 'ardm'));
  assert.match(defaultCacheFolder({}), /\.cache.ardm$/);
});

test('writers of one file at the same time leave one whole file and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'new', 'file');
  const contents = Array.from({ length: 8 }, (_, i) => noise(100_000, i));
  await Promise.all(contents.map((bytes) => writeWhole(file, [bytes])));
  const written = readFileSync(file).toString('hex');
  assert.ok(contents.some((bytes) => Buffer.from(bytes).toString('hex') === written));
  assert.deepEqual(readdirSync(path.dirname(file)), ['file']);
});

test('a full disk is a user error that says what to do', async () => {
  const full = () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' }));
  await assert.rejects(
    onDisk('/some/file', full),
    (error) =>
      error instanceof UserError &&
      error.message.startsWith(
        "can't write /some/file: the disk is full. Make room there, or set ARDM_CACHE",
      ),
  );
});

test('a file that is there but cannot be read is a user error that names it', async (t) => {
  const folder = await temporaryFolder(t);
  const source = {
    name: 'tiny',
    files: [describeFile('file', noise(10))],
    downloads: [],
    installed: () => [path.join(folder, 'installed')],
  };
  await writeWhole(path.join(folder, 'installed', 'file', 'is-a-folder'), [noise(1)]);
  await assert.rejects(
    findFiles(source, folder),
    (error) => error instanceof UserError && /can't read .*installed.file: EISDIR/.test(error.message),
  );
});
