import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import { fullName } from '../../shared/event-files.js';
import { createHistory, observe } from '../../shared/page/history.js';
import { RunFolder } from '../../shared/page/run-folder.js';
import { readRollup, writeRollup } from '../../shared/page/rollup.js';
import { tinyRun } from '../cli/tiny-checkpoint.js';
import { temporaryFolder } from '../data/temporary.js';
import { join, line, log, parsed, START, stepLine, stepLines } from './made-up-run.js';

test('a run folder is seen whole: events, checkpoint, config, components', async (t) => {
  const { folder } = await tinyRun(await temporaryFolder(t));
  log(folder, line('start', 0, START), join(0), ...stepLines(1, 3), '{"time":"2026', line('done', 3));
  const run = new RunFolder('0', folder);
  const view = await run.view();
  assert.deepEqual(
    [view.name, view.live, view.unit, view.progress.state],
    ['tiny', false, 'bits/dim', 'done'],
  );
  assert.deepEqual([view.curve.steps, view.numDamaged, view.components], [[1, 2, 3], 1, 'step-00000003']);
  assert.deepEqual(
    view.events.map(({ event }) => event),
    ['done', 'join', 'start'],
  );
  assert.match(view.config!, /^name: tiny\n[^]*learningRate: /);
  const { svg, view: table } = (await run.components())!;
  assert.match(svg, /^<svg /);
  assert.equal(table.rows.length, 16);
  assert.equal(
    table.rows.reduce((sum, { calls }) => sum + calls, 0),
    table.policy.calls,
  );
});

test('a run of one variable a call has no plot of components', async (t) => {
  const { folder } = await tinyRun(await temporaryFolder(t), 'arm');
  log(folder, line('start', 0, START));
  assert.equal(await new RunFolder('0', folder).components(), undefined);
});

test('a change is what came after a step, and says when the whole has to be asked for', async (t) => {
  const folder = await temporaryFolder(t);
  log(folder, line('start', 0, START), ...stepLines(1, 3));
  const run = new RunFolder('0', folder);
  const before = await run.view();
  log(folder, stepLine(4));
  await run.refresh();
  const step = run.change(3);
  assert.deepEqual(
    [step.curve.steps, step.numEvents, step.generation],
    [[4], before.numEvents, before.generation],
  );
  log(folder, line('waiting', 4, { reason: 'x' }));
  await run.refresh();
  assert.ok(run.change(4).numEvents > before.numEvents);
  log(folder, stepLine(2));
  await run.refresh();
  assert.notEqual(run.change(4).generation, before.generation);
});

test('a log that is cut off or removed under the reader does not stop it', async (t) => {
  const folder = await temporaryFolder(t);
  log(folder, line('start', 0, START), ...stepLines(1, 9));
  const run = new RunFolder('0', folder);
  assert.equal((await run.view()).progress.step, 9);
  const text = `${line('start', 0, START)}\n${stepLine(1)}\n`;
  writeFileSync(path.join(folder, 'events.jsonl'), text);
  assert.equal((await run.view()).progress.step, 1);
});

test('a folder without an event log is refused by name', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    new RunFolder('0', folder).check(),
    (error) => error instanceof UserError && error.message.startsWith(`${folder} has no events.jsonl`),
  );
});

test('a roll-up stands for the beginning of its log, and for that alone', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, events] = [path.join(folder, 'rollup.json'), path.join(folder, 'events.jsonl')];
  log(folder, line('start', 0, START), ...stepLines(1, 9));
  const history = createHistory();
  observe(history, parsed(stepLine(7)));
  const offset = readFileSync(events).length;
  await writeRollup(file, events, { place: { number: 1, offset, inode: 0 }, history });
  log(folder, stepLine(10));
  const rollup = await readRollup(file, events);
  assert.deepEqual([rollup.history, rollup.place.offset], [JSON.parse(JSON.stringify(history)), offset]);

  truncateSync(events, offset - 1);
  assert.equal((await readRollup(file, events)).place.offset, 0);
  writeFileSync(file, '{"format":1');
  assert.equal((await readRollup(file, events)).place.offset, 0);
});

test('a roll-up holds on while the file that it ends in becomes full', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, events] = [path.join(folder, 'rollup.json'), path.join(folder, 'events.jsonl')];
  log(folder, line('start', 0, START), ...stepLines(1, 9));
  const offset = readFileSync(events).length;
  await writeRollup(file, events, { place: { number: 1, offset, inode: 0 }, history: createHistory() });
  renameSync(events, fullName(events, 1));
  log(folder, stepLine(10));
  assert.deepEqual((await readRollup(file, events)).place, {
    ...{ number: 1, offset, inode: statSync(fullName(events, 1)).ino },
  });
  rmSync(fullName(events, 1));
  assert.equal((await readRollup(file, events)).place.offset, 0, 'what it is of can no longer be told');
});

test('a live run with a long log leaves a roll-up, from which the next reader goes on', async (t) => {
  const folder = await temporaryFolder(t);
  const wide = 'x'.repeat(200_000);
  log(
    folder,
    line('start', 0, START),
    ...Array.from({ length: 170 }, () => line('note', 0, { wide })),
    stepLine(1),
  );
  const members = () => [];
  await new RunFolder('0', folder).refresh();
  assert.ok(!existsSync(path.join(folder, 'events-rollup.json')), 'whoever only looks writes nothing');
  await new RunFolder('0', folder, { config: {}, members }).refresh();
  const file = path.join(folder, 'events-rollup.json');
  const stored = JSON.parse(readFileSync(file, 'utf8')) as { history: { step: number } };
  stored.history.step = 77;
  writeFileSync(file, JSON.stringify(stored));
  assert.equal((await new RunFolder('0', folder).status()).progress.step, 77);
});
