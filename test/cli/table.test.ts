import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTable } from '../../cli/table.js';

test('columns stand flush right under their names, an empty cell left empty', () => {
  const table = formatTable([
    { name: 'calls', cells: ['5', '1000000'] },
    { name: 'bits', cells: ['2.5', undefined] },
  ]);
  assert.equal(table, '    calls  bits\n        5   2.5\n  1000000');
});
