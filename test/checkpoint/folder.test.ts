import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {
  listCheckpoints,
  nextName,
  parseName,
  readLatest,
  staleTemporaries,
  temporaryPath,
  writeLatest,
} from '../../shared/checkpoint/folder.js';
import { temporaryFolder } from '../data/temporary.js';

const HOUR_MS = 3600 * 1000;

test('checkpoints are listed newest first, by step and then by version', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['step-00000400', 'step-00000050.10', 'step-00000050.9', 'step-00000050', 'step-4294967295'];
  for (const name of [...names, 'step-50', 'step-00000001-old', '.writing-a-1-1'])
    mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, 'step-00000900'), 'a file');
  const entries = await listCheckpoints(folder);
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['step-4294967295', ...names.slice(0, 4)],
  );
  assert.equal(nextName(entries, 50), 'step-00000050.11');
  assert.equal(nextName(entries, 400), 'step-00000400.2');
  assert.equal(nextName(entries, 7), 'step-00000007');
  assert.equal(nextName(entries, 4294967294), 'step-4294967294');
  assert.deepEqual(parseName('step-00000050.9'), { name: 'step-00000050.9', step: 50, version: 9 });
});

test('latest is what was written last', async (t) => {
  const folder = await temporaryFolder(t);
  assert.equal(await readLatest(folder), undefined);
  for (const name of ['step-00000001', 'step-00000002']) {
    await writeLatest(folder, name);
    assert.equal(await readLatest(folder), name);
  }
});

test('a temporary is stale when its process is gone, or after a day wherever that ran', async (t) => {
  const folder = await temporaryFolder(t);
  const make = (name: string, ageMs: number) => {
    const file = path.isAbsolute(name) ? name : path.join(folder, name);
    mkdirSync(file);
    const time = new Date(Date.now() - ageMs);
    utimesSync(file, time, time);
    return file;
  };
  const since = process.uptime() * 1000;
  make(temporaryPath(folder), 0);
  make(`.writing-${hostname()}-${process.ppid}-1`, 2 * HOUR_MS);
  make(`.writing-elsewhere-${process.pid}-1`, 2 * HOUR_MS);
  make(`.writing-${hostname()}-1-${process.pid}-1`, 2 * HOUR_MS);
  make('.hidden', 48 * HOUR_MS);
  const stale = [
    make(`.writing-${hostname()}-${process.pid}-7`, since + HOUR_MS),
    make(`.writing-${hostname()}-4194305-1`, 0),
    make('.writing-elsewhere-1-1', 25 * HOUR_MS),
  ];
  assert.deepEqual((await staleTemporaries(folder)).toSorted(), stale.toSorted());
});
