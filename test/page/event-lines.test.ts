import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { readLines } from '../../shared/page/event-lines.js';
import { temporaryFolder } from '../data/temporary.js';

async function reader(t: TestContext) {
  const file = path.join(await temporaryFolder(t), 'log');
  const place = { offset: 0, inode: 0 };
  let numRestarts = 0;
  const read = async () => {
    const lines: string[] = [];
    await readLines(
      file,
      place,
      (line) => lines.push(line),
      () => numRestarts++,
    );
    return lines;
  };
  return { file, place, read, numRestarts: () => numRestarts };
}

test('each line is told once; one without an end waits for it', async (t) => {
  const { file, read } = await reader(t);
  writeFileSync(file, 'a\nb\nc');
  assert.deepEqual(await read(), ['a', 'b']);
  assert.deepEqual(await read(), []);
  appendFileSync(file, 'd\n');
  assert.deepEqual(await read(), ['cd']);
});

test('a log of many chunks is read whole, with characters of several bytes', async (t) => {
  const { file, read } = await reader(t);
  const lines = Array.from({ length: 60_000 }, (_, i) => `${i} ${'ü'.repeat(i % 40)}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  assert.deepEqual(await read(), lines);
});

test('a file that is shorter, or another, begins anew', async (t) => {
  const { file, read, numRestarts } = await reader(t);
  writeFileSync(file, 'a\nb\n');
  await read();
  writeFileSync(file, 'c\n');
  assert.deepEqual([await read(), numRestarts()], [['c'], 1]);
  writeFileSync(`${file}.new`, 'd\ne\nf\n');
  renameSync(`${file}.new`, file);
  assert.deepEqual([await read(), numRestarts()], [['d', 'e', 'f'], 2]);
});

test('a line that is longer than a mebibyte does not stop the reading', async (t) => {
  const { file, read } = await reader(t);
  writeFileSync(file, `a\n${'x'.repeat(3 * 2 ** 20)}\nb\n`);
  const lines = await read();
  assert.deepEqual([lines[0], lines.at(-1)], ['a', 'b']);
  assert.ok(lines.every((line) => line.length <= 2 ** 20));
});
