import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findPytorch } from '../../bench/peers/pytorch.js';
import { packageRoot } from '../../shared/package.js';

test('an absent PyTorch is said plainly, with where it was looked for', (t) => {
  const before = process.env['ARDM_PEERS'];
  t.after(() => {
    if (before === undefined) delete process.env['ARDM_PEERS'];
    else process.env['ARDM_PEERS'] = before;
  });
  process.env['ARDM_PEERS'] = '/nowhere';
  assert.equal(
    findPytorch(),
    'PyTorch is absent: there is no /nowhere/bin/python; docs/performance.md says how to install it',
  );
});

test('every package of the peer has an exact version', () => {
  const lines = readFileSync(path.join(packageRoot, 'bench/peers/requirements.txt'), 'utf8')
    .trim()
    .split('\n');
  for (const line of lines.filter((text) => !text.startsWith('#')))
    assert.match(line, /^[a-z0-9-]+==[0-9.]+$/);
});
