import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { decode } from 'fast-png';
import { join, start, tinyRun } from './tiny-run.js';

test('a run is told of while it goes: metrics, events, JSON lines, samples', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '12', '--json']);
  const worker = await join(t, run);
  await run.event('step', ({ step }) => step >= 3);
  const { http } = await run.event('listen');
  const metrics = await (await fetch(`${http}/metrics`)).text();
  const value = (series: string) =>
    Number(
      metrics
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );
  assert.ok(value('ardm_step') >= 3);
  assert.equal(value('ardm_workers{state="ready"}'), 1);
  assert.ok(value('ardm_bytes_total{direction="in",kind="gradient"}') > 3 * 29_760 * 4);
  assert.equal(await run.exit(), 0, run.stderr);

  const lines = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; step: number; time: string });
  const log = readFileSync(path.join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines,
    log.map((line) => JSON.parse(line) as unknown),
  );
  const steps = lines.filter(({ event }) => event === 'step').map(({ step }) => step);
  assert.deepEqual(
    steps,
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
  const [joined] = run.events('join');
  assert.deepEqual([joined!.slot, joined!.pid], [0, worker.child.pid]);
  assert.deepEqual(
    run.events('evaluation').map(({ step }) => step),
    [10, 12],
  );

  const { path: grid, budget } = run.events('samples')[0]!;
  assert.equal(budget, 4);
  const { width, height, channels } = decode(readFileSync(grid));
  assert.deepEqual([width, height, channels], [2 * (84 + 2) + 2, 2 * (84 + 2) + 2, 1]);
});

test('a second Ctrl-C ends the coordinator at once', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  await run.event('waiting');
  run.kill('SIGINT');
  run.kill('SIGINT');
  assert.equal(await run.exit(), 130);
});
