import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode } from 'fast-png';
import { HandMadePeer } from './hand-made-peer.js';
import { join, start, tinyRun } from './tiny-run.js';

test('a run is told of while it goes: metrics, events, JSON lines, samples', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '12', '--json', '--set', 'workers.sharedMemory=false']);
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

test('what a worker says of its GPU is in the metrics of its slot, and goes with it', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const { http } = await run.event('listen');
  const scrape = async () => (await fetch(`${http}/metrics`)).text();
  const peer = new HandMadePeer(t, await run.address());
  await peer.hello();
  await peer.hear('welcome');
  await peer.say({ type: 'alive', doing: 'step 0', gpu: { use: 0.75, celsius: 64 } });
  const lines = [
    'ardm_worker_gpu_use_ratio{slot="0"} 0.75',
    'ardm_worker_gpu_temperature_celsius{slot="0"} 64',
  ];
  let text = '';
  for (let nth = 0; nth < 200 && !lines.every((line) => text.includes(line)); nth++) {
    await sleep(20);
    text = await scrape();
  }
  for (const line of lines) assert.ok(text.includes(line), line);
  await peer.say({ type: 'leave', reason: 'stopped by SIGTERM' });
  await run.event('leave');
  text = await scrape();
  assert.doesNotMatch(text, /^ardm_worker_.*slot="0"/m);
  assert.match(text, /^ardm_quorum_changes_total\{cause="stopped"\} 1$/m);
});

test('a second Ctrl-C ends the coordinator at once', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  await run.event('waiting');
  run.kill('SIGINT');
  run.kill('SIGINT');
  assert.equal(await run.exit(), 130);
});
