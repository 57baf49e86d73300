import assert from 'node:assert/strict';
import test from 'node:test';
import { formatMarkdown, formatTable } from '../../cli/table.js';

test('columns stand flush right under their names, an empty cell left empty', () => {
  const table = formatTable([
    { name: 'calls', cells: ['5', '1000000'] },
    { name: 'bits', cells: ['2.5', undefined] },
  ]);
  assert.equal(table, '    calls  bits\n        5   2.5\n  1000000');
});

test('in Markdown each row is a line, and a bar in a cell is no border', () => {
  const table = formatMarkdown([
    { name: 'a|b', cells: ['1', undefined] },
    { name: 'c', cells: ['2', '3'] },
  ]);
  assert.equal(table, '| a\\|b | c |\n| ---: | ---: |\n| 1 | 2 |\n|  | 3 |');
});
