import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { UsageError, UserError } from '../../shared/errors.js';
import { addWorker, createKeyFolder, listAllowed, openKeyFolder } from '../../shared/keys/folder.js';
import { parseWorkerKeys } from '../../shared/keys/format.js';
import { readPrivate } from '../../shared/keys/private-file.js';
import { temporaryFolder } from '../data/temporary.js';

async function keyFolder(t: TestContext): Promise<string> {
  const folder = path.join(await temporaryFolder(t), 'keys');
  createKeyFolder(folder);
  return folder;
}

const keysIn = (file: string) => parseWorkerKeys(readPrivate(file), file);

test('only its owner may read what holds a secret, and nothing else is left', async (t) => {
  const folder = await keyFolder(t);
  addWorker(folder, 'a');
  assert.deepEqual(readdirSync(folder).sort(), ['a.key', 'allowed', 'coordinator.key']);
  assert.deepEqual(readdirSync(path.join(folder, 'allowed')), ['a.pub']);
  const modeOf = (...names: string[]) => statSync(path.join(folder, ...names)).mode & 0o777;
  assert.deepEqual([modeOf(), modeOf('coordinator.key'), modeOf('a.key')], [0o700, 0o600, 0o600]);
});

test('keys are never written over', async (t) => {
  const folder = await keyFolder(t);
  const file = addWorker(folder, 'a');
  const before = readFileSync(file, 'utf8');
  assert.throws(() => createKeyFolder(folder), /coordinator\.key is there already/);
  assert.throws(() => addWorker(folder, 'a'), /a\.key is there already/);
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.equal(readdirSync(folder).length, 3);
});

test('a secret that others may read is refused, with the way out', async (t) => {
  const folder = await keyFolder(t);
  const file = addWorker(folder, 'a');
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(file, mode);
    assert.throws(() => readPrivate(file), /others may read \(mode 06[0-6]{2}\): chmod 600/);
  }
  chmodSync(path.join(folder, 'coordinator.key'), 0o644);
  assert.throws(() => openKeyFolder(folder), /chmod 600/);
});

test('a folder without keys says how to make some', async (t) => {
  const folder = await temporaryFolder(t);
  const isHelpful = (error: Error) => error instanceof UserError && /`ardm keys new`/.test(error.message);
  assert.throws(() => openKeyFolder(folder), isHelpful);
  assert.throws(() => addWorker(folder, 'a'), isHelpful);
});

test('names that would leave the folder, or name the coordinator, are refused', async (t) => {
  const folder = await keyFolder(t);
  for (const name of ['../x', 'a/b', '', '.hidden', 'coordinator'])
    assert.throws(() => addWorker(folder, name), UsageError, name);
});

test('a worker is in from the moment that it is added until its file goes', async (t) => {
  const folder = await keyFolder(t);
  let now = 0;
  const { own, nameOf } = openKeyFolder(folder, () => now);
  const a = keysIn(addWorker(folder, 'a'));
  assert.equal(a.coordinator, own.publicKey);
  assert.equal(nameOf(a.own.publicKey), 'a');
  const b = keysIn(addWorker(folder, 'b'));
  now += 101;
  assert.equal(nameOf(b.own.publicKey), 'b');
  rmSync(path.join(folder, 'allowed', 'a.pub'));
  now += 101;
  assert.equal(nameOf(a.own.publicKey), undefined);
  assert.equal(nameOf(b.own.publicKey), 'b');
  rmSync(path.join(folder, 'allowed'), { recursive: true });
  now += 101;
  assert.equal(nameOf(b.own.publicKey), undefined, 'without the folder nobody is in');
});

test('who knocks fast does not make the folder be read each time', async (t) => {
  const folder = await keyFolder(t);
  let now = 0;
  const { nameOf } = openKeyFolder(folder, () => now);
  nameOf('x');
  const { own } = keysIn(addWorker(folder, 'a'));
  now += 50;
  assert.equal(nameOf(own.publicKey), undefined);
  now += 51;
  assert.equal(nameOf(own.publicKey), 'a');
});

test('files that hold no key let nobody in, are named, and harm no other', async (t) => {
  const folder = await keyFolder(t);
  addWorker(folder, 'a');
  const at = (name: string) => path.join(folder, 'allowed', name);
  writeFileSync(at('broken.pub'), 'ardm-allowed b short');
  writeFileSync(at('huge.pub'), Buffer.alloc(1 << 20, 'x'));
  symlinkSync('/dev/zero', at('endless.pub'));
  writeFileSync(at('README'), 'not a key');
  const { allowed, unreadable } = listAllowed(folder);
  assert.deepEqual(
    allowed.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(unreadable, ['broken.pub', 'endless.pub', 'huge.pub'].map(at));
});
