import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { addWorker, createKeyFolder } from '../../shared/keys/folder.js';
import { givenCoordinatorKeys, givenWorkerKeys } from '../../shared/keys/given.js';
import { temporaryFolder } from '../data/temporary.js';

async function made(t: TestContext) {
  const folder = path.join(await temporaryFolder(t), 'keys');
  createKeyFolder(folder);
  const file = addWorker(folder, 'a');
  const read = (...names: string[]) => readFileSync(path.join(folder, ...names), 'utf8');
  t.after(() => delete process.env.ARDM_KEYS);
  return { folder, file, read };
}

test('the variable holds the keys themselves, and is gone once they are taken', async (t) => {
  const { file, read } = await made(t);
  process.env.ARDM_KEYS = read('a.key');
  const keys = givenWorkerKeys(undefined);
  assert.equal(process.env.ARDM_KEYS, undefined);
  assert.deepEqual(keys, givenWorkerKeys(file));
});

test("a coordinator's variable is its file with those that let workers in after it", async (t) => {
  const { folder, file, read } = await made(t);
  process.env.ARDM_KEYS = read('coordinator.key') + read('allowed', 'a.pub');
  const keys = givenCoordinatorKeys(undefined)!;
  assert.equal(process.env.ARDM_KEYS, undefined);
  assert.deepEqual(keys.own, givenCoordinatorKeys(folder)!.own);
  const worker = givenWorkerKeys(file)!;
  assert.equal(keys.nameOf(worker.own.publicKey), 'a');
  assert.equal(keys.nameOf(keys.own.publicKey), undefined);
});

test('a flag goes before the variable, which no child inherits even so', async (t) => {
  const { file } = await made(t);
  process.env.ARDM_KEYS = 'something else';
  assert.equal(givenWorkerKeys(file)!.name, 'a');
  assert.equal(process.env.ARDM_KEYS, undefined);
});

test('without either there are no keys; a variable that holds none is an error', async (t) => {
  await made(t);
  assert.equal(givenWorkerKeys(undefined), undefined);
  assert.equal(givenCoordinatorKeys(undefined), undefined);
  process.env.ARDM_KEYS = 'ardm-worker a';
  assert.throws(() => givenWorkerKeys(undefined), /ARDM_KEYS holds no keys of a worker/);
});
