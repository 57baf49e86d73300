import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findConstriction } from '../../bench/peers/constriction.js';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

test('an absent constriction is said plainly, with where it was looked for', async (t) => {
  const folder = await temporaryFolder(t);
  const before = process.env['ARDM_PEERS'];
  t.after(() => {
    if (before === undefined) delete process.env['ARDM_PEERS'];
    else process.env['ARDM_PEERS'] = before;
  });
  process.env['ARDM_PEERS'] = folder;
  const python = path.join(folder, 'bin/python');
  const howTo = 'bench/peers/coding-requirements.txt says how to install it';
  assert.equal(findConstriction(), `constriction is absent: there is no ${python}; ${howTo}`);
});

test('constriction and what it needs have exact versions', () => {
  const text = readFileSync(path.join(packageRoot, 'bench/peers/coding-requirements.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^(constriction|numpy)==[0-9.]+$/);
});
