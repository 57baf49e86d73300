import assert from 'node:assert/strict';
import { appendFileSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { beginning, readLines } from '../../shared/page/event-lines.js';
import { fullName } from '../../shared/event-files.js';
import { temporaryFolder } from '../data/temporary.js';

async function reader(t: TestContext) {
  const file = path.join(await temporaryFolder(t), 'events.jsonl');
  const place = beginning();
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

/** A log's file is full, and the next one begins. */
function putAside(file: string, number: number, next: string): void {
  renameSync(file, fullName(file, number));
  writeFileSync(file, next);
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

test('lines are read across the seams where files became full', async (t) => {
  const { file, read, numRestarts } = await reader(t);
  writeFileSync(file, 'a\nb\n');
  assert.deepEqual(await read(), ['a', 'b']);
  appendFileSync(file, 'c\n');
  putAside(file, 1, 'd\n');
  putAside(file, 2, 'e\nf');
  assert.deepEqual(await read(), ['c', 'd', 'e']);
  putAside(file, 3, 'g\n');
  assert.deepEqual(await read(), ['g'], 'what has no end has no other half');
  assert.deepEqual(await read(), []);
  assert.equal(numRestarts(), 0);
});

test('a file that becomes full while it is looked at is read once', async (t) => {
  const { file, read, numRestarts } = await reader(t);
  writeFileSync(file, 'a\n');
  linkSync(file, fullName(file, 1)); // what is open has the number already
  assert.deepEqual(await read(), ['a']);
  rmSync(file);
  writeFileSync(file, 'b\n');
  assert.deepEqual([await read(), numRestarts()], [['b'], 0]);
});

test('who comes late reads the full files first, by number and not by name', async (t) => {
  const { file, read } = await reader(t);
  for (let number = 1; number <= 11; number++) {
    writeFileSync(file, `${number}\n`);
    putAside(file, number, 'now\n');
  }
  writeFileSync(path.join(path.dirname(file), 'events.x.jsonl'), 'no file of the log\n');
  assert.deepEqual(await read(), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', 'now']);
});

test('full files may be taken away; one that is another begins anew', async (t) => {
  const { file, read, numRestarts } = await reader(t);
  writeFileSync(file, 'a\n');
  await read();
  putAside(file, 1, 'b\n');
  rmSync(fullName(file, 1));
  putAside(file, 2, 'c\n');
  assert.deepEqual([await read(), numRestarts()], [['b', 'c'], 0]);
  putAside(file, 3, 'd\n');
  writeFileSync(`${file}.new`, 'x\n');
  renameSync(`${file}.new`, fullName(file, 3));
  assert.deepEqual([await read(), numRestarts()], [['b', 'x', 'd'], 1]);
});

test('a line that is longer than a mebibyte does not stop the reading', async (t) => {
  const { file, read } = await reader(t);
  writeFileSync(file, `a\n${'x'.repeat(3 * 2 ** 20)}\nb\n`);
  const lines = await read();
  assert.deepEqual([lines[0], lines.at(-1)], ['a', 'b']);
  assert.ok(lines.every((line) => line.length <= 2 ** 20));
});
