import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { findNumpy } from '../../bench/peers/numpy.js';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

/** Has the peers looked for in a folder for the length of a test. */
function lookIn(t: TestContext, folder: string): void {
  const before = process.env['ARDM_PEERS'];
  t.after(() => {
    if (before === undefined) delete process.env['ARDM_PEERS'];
    else process.env['ARDM_PEERS'] = before;
  });
  process.env['ARDM_PEERS'] = folder;
}

test('an absent numpy is said plainly, with where it was looked for', async (t) => {
  const folder = await temporaryFolder(t);
  lookIn(t, folder);
  const python = path.join(folder, 'bin/python');
  const howTo = 'bench/peers/numpy-requirements.txt says how to install it';
  assert.equal(findNumpy(), `numpy is absent: there is no ${python}; ${howTo}`);
  mkdirSync(path.dirname(python));
  writeFileSync(python, '#!/bin/sh\nexit 1\n');
  chmodSync(python, 0o755);
  assert.equal(findNumpy(), `numpy is absent: ${python} can't import it; ${howTo}`);
});

test('numpy has an exact version', () => {
  const text = readFileSync(path.join(packageRoot, 'bench/peers/numpy-requirements.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^numpy==[0-9.]+$/);
});
