import assert from 'node:assert/strict';
import test from 'node:test';
import { curveKeyPair } from 'zeromq';
import { UserError } from '../../shared/errors.js';
import {
  allowedLine,
  coordinatorLine,
  isKeyName,
  parseAllowed,
  parseCoordinatorKeys,
  parseWorkerKeys,
  workerLine,
} from '../../shared/keys/format.js';
import { createPair, curveKey } from '../../shared/keys/keys.js';
import { z85 } from '../../shared/keys/z85.js';

const coordinator = createPair();
const own = createPair();

test('bytes are written in Z85 as its specification does', () => {
  assert.equal(z85(Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b)), 'HelloWorld');
  assert.equal(curveKey(own.publicKey).length, curveKeyPair().publicKey.length);
});

test('two pairs have nothing in common', () => {
  const keys = [coordinator, own].flatMap(({ publicKey, secretKey }) => [publicKey, secretKey]);
  assert.equal(new Set(keys).size, 4);
  for (const key of keys) assert.equal(Buffer.from(key, 'base64url').length, 32);
});

test("a worker's keys come back as they were written", () => {
  const keys = { name: 'laptop-2', own, coordinator: coordinator.publicKey };
  assert.deepEqual(parseWorkerKeys(workerLine(keys), 'here'), keys);
});

test("a coordinator's file and those of its workers, one after another, are its keys", () => {
  const text = coordinatorLine(coordinator) + allowedLine('a', own.publicKey);
  const { own: pair, allowed } = parseCoordinatorKeys(text, 'here');
  assert.deepEqual(pair, coordinator);
  assert.deepEqual([...allowed], [[own.publicKey, 'a']]);
});

test('what lets a worker in tells nothing that is secret', () => {
  const line = allowedLine('a', own.publicKey);
  assert.ok(!line.includes(own.secretKey));
  assert.deepEqual(parseAllowed(line), { name: 'a', publicKey: own.publicKey });
});

test('anything else is refused by its place, and never quoted', () => {
  const worker = workerLine({ name: 'a', own, coordinator: coordinator.publicKey });
  for (const text of [
    '',
    worker.slice(0, -3),
    worker + worker,
    coordinatorLine(own),
    ' '.repeat(1 << 21) + worker,
  ])
    assertRefused(() => parseWorkerKeys(text, 'a.key'), 'a.key');
  const pair = coordinatorLine(own);
  for (const text of [
    '',
    worker,
    pair.slice(0, 40),
    `${pair}ardm-allowed ../x ${own.publicKey}`,
    pair + pair,
  ])
    assertRefused(() => parseCoordinatorKeys(text, 'c.key'), 'c.key');
});

function assertRefused(parse: () => unknown, place: string): void {
  assert.throws(parse, (error) => {
    assert.ok(error instanceof UserError && error.message.includes(place));
    for (const part of [own.secretKey, own.publicKey]) assert.ok(!error.message.includes(part.slice(0, 8)));
    return true;
  });
}

test('names are those of files that stay in their folder', () => {
  for (const name of ['a', 'gpu-3.rack_1', 'A'.repeat(64)]) assert.ok(isKeyName(name), name);
  for (const name of ['', '.', '..', '.a', 'a/b', 'a\\b', 'a b', 'a\n', 'ä', 'A'.repeat(65)])
    assert.ok(!isKeyName(name), name);
});
