import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { createEventLog } from '../../coordinator/event-log.js';
import type { RunEvent } from '../../coordinator/events.js';
import { UserError } from '../../shared/errors.js';
import { fullName, fullNumbers } from '../../shared/event-files.js';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';
import { madeUpRun, STARTED_AT } from './made-up-run.js';

async function logFile(t: TestContext): Promise<string> {
  return path.join(await temporaryFolder(t), 'events.jsonl');
}

function lines(file: string): string[] {
  return fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

const waiting = (step: number) => ({ event: 'waiting', step, reason: 'for a worker' }) as const;

test('a line has time, event and step first, then the fields of the event', async (t) => {
  const file = await logFile(t);
  const log = createEventLog(file);
  log({ event: 'join', step: 7, slot: 0, pid: 42, host: 'h', device: 'd', incarnation: 1 }, STARTED_AT);
  log.close();
  assert.equal(
    fs.readFileSync(file, 'utf8'),
    '{"time":"2022-04-25T12:00:00.000Z","event":"join","step":7,"slot":0,"pid":42,"host":"h","device":"d","incarnation":1}\n',
  );
});

test('every event can be read back', async (t) => {
  const file = await logFile(t);
  const log = createEventLog(file);
  const run = madeUpRun();
  for (const [event, time] of run) log(event, time);
  const readBack = lines(file).map((line) => {
    const { time, ...event } = JSON.parse(line) as { time: string };
    return [event, Date.parse(time)];
  });
  assert.deepEqual(readBack, run);
  log.close();
});

test('docs/observability.md has every event with its fields', () => {
  const page = fs.readFileSync(path.join(packageRoot, 'docs/observability.md'), 'utf8');
  const row = (event: string) => page.split('\n').find((line) => line.startsWith(`| \`${event}\` `)) ?? '';
  const ends: RunEvent[] = [
    { event: 'stopping', step: 0, reason: '' },
    { event: 'failed', step: 0, reason: '', exitCode: 1 },
    { event: 'notice-failed', step: 0, notice: 'done', by: 'webhook', reason: '' },
  ];
  for (const told of [...madeUpRun().map(([event]) => event), ...ends]) {
    for (const field of Object.keys(told).slice(2))
      assert.ok(row(told.event).includes(`\`${field}\``), `${told.event}: ${field}`);
  }
});

test('a killed process loses nothing that it emitted', async (t) => {
  const file = await logFile(t);
  const module = new URL('../../coordinator/event-log.js', import.meta.url).href;
  const { signal } = spawnSync(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { createEventLog } from ${JSON.stringify(module)};
     const log = createEventLog(${JSON.stringify(file)});
     for (let step = 0; step < 100; step++) log({ event: 'waiting', step, reason: 'a' }, 0);
     process.kill(process.pid, 'SIGKILL');`,
  ]);
  assert.equal(signal, 'SIGKILL');
  assert.equal(lines(file).length, 100);
});

test('a log goes on after what is there', async (t) => {
  const file = await logFile(t);
  for (const step of [1, 2]) {
    const log = createEventLog(file);
    log(waiting(step), 0);
    log.close();
    log.close(); // a second time does nothing
  }
  assert.deepEqual(
    lines(file).map((line) => (JSON.parse(line) as { step: number }).step),
    [1, 2],
  );
});

test('a file that is full is put aside, and no event is lost at the seam', async (t) => {
  const file = await logFile(t);
  for (const first of [0, 10]) {
    const log = createEventLog(file, 200);
    for (let step = first; step < first + 10; step++) log(waiting(step), 0);
    log.close();
  }
  const numbers = fullNumbers(file);
  assert.ok(numbers.length > 3);
  assert.deepEqual(
    numbers,
    numbers.map((_, nth) => nth + 1),
  );
  const files = [...numbers.map((number) => fullName(file, number)), file];
  const steps = files.flatMap(lines).map((text) => (JSON.parse(text) as { step: number }).step);
  assert.deepEqual(
    steps,
    steps.map((_, nth) => nth),
  );
  for (const full of files.slice(0, -1)) assert.ok(fs.statSync(full).size < 400);
});

test('a file that cannot be put aside grows on, and tells so', async (t) => {
  const file = await logFile(t);
  const said = t.mock.method(process.stderr, 'write', () => true);
  const log = createEventLog(file, 200);
  t.mock.method(fs, 'renameSync', () => {
    throw new Error('EACCES: permission denied, rename');
  });
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  for (let step = 0; step < 5; step++) log(waiting(step), 0);
  log.close();
  const warnings = said.mock.calls.map(({ arguments: [text] }) => String(text));
  said.mock.restore();
  assert.equal(lines(file).length, 5);
  assert.ok(warnings.length > 0 && warnings.every((text) => /EACCES.*goes on in one file/.test(text)));
});

test('half a line that a crash left is ended before the next event', async (t) => {
  const file = await logFile(t);
  fs.writeFileSync(file, '{"time":"2022-04-2');
  const log = createEventLog(file);
  log(waiting(1), 0);
  log(waiting(2), 0);
  log.close();
  const [half, ...whole] = lines(file);
  assert.equal(half, '{"time":"2022-04-2');
  assert.deepEqual(
    whole.map((line) => (JSON.parse(line) as { step: number }).step),
    [1, 2],
  );
});

test('a full disk costs the events, tells so once and how many at the end, and heals', async (t) => {
  const file = await logFile(t);
  const said = t.mock.method(process.stderr, 'write', () => true);
  const log = createEventLog(file);
  const whole = fs.appendFileSync;
  const append = t.mock.method(fs, 'appendFileSync', (fd: number, text: string) => {
    whole(fd, text.slice(0, 10));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  log(waiting(1), 0);
  log(waiting(2), 0);
  append.mock.restore();
  syncBuiltinESMExports();
  log(waiting(3), 0);
  log.close();
  log(waiting(4), 0);

  const warnings = said.mock.calls.map(({ arguments: [text] }) => String(text));
  said.mock.restore();
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /events\.jsonl: ENOSPC: no space left.*goes on/);
  assert.match(warnings[1]!, /events\.jsonl: 2 events were not written/);
  const found = lines(file);
  assert.deepEqual(JSON.parse(found.at(-1)!), { time: '1970-01-01T00:00:00.000Z', ...waiting(3) });
  assert.ok(!fs.readFileSync(file, 'utf8').includes('"step":4'), 'nothing is written after close');
});

test('a folder that is not there is a UserError with the way out', async (t) => {
  const file = path.join(await temporaryFolder(t), 'absent', 'events.jsonl');
  assert.throws(
    () => createEventLog(file),
    (error) => error instanceof UserError && error.message.includes(file) && /--run-dir/.test(error.message),
  );
});
