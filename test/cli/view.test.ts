import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunView } from '../../shared/page/views.js';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { line, log, servePage, START, stepLines } from '../page/made-up-run.js';

test('the page over run folders is served until a signal comes', async (t) => {
  const home = await temporaryFolder(t);
  for (const name of ['a', 'b']) log(path.join(home, name), line('start', 0, START), ...stepLines(1, 3));
  const view = new Command(t, 'cli', ['view', 'a', 'b'], { cwd: home });
  while (!view.stdout.includes('\n')) await sleep(20);
  const url = view.stdout.trim();
  const runs = (await (await fetch(`${url}/api/runs`)).json()) as RunView[];
  assert.deepEqual(
    runs.map(({ name, progress }) => [name, progress.step]),
    [
      ['a', 3],
      ['b', 3],
    ],
  );
  assert.equal((await fetch(`${url}/metrics`)).status, 404);
  const reader = await fetch(`${url}/api/stream`);
  view.kill('SIGINT');
  assert.equal(await view.exit(), 130, view.stderr);
  await reader.text().catch(() => undefined);
});

test('a folder that is no run, a port that is taken and a wrong address are told in a line', async (t) => {
  const home = await temporaryFolder(t);
  log(path.join(home, 'a'), line('start', 0, START));
  const taken = new URL(await servePage(t, [path.join(home, 'a')])).host;
  for (const [args, exitCode, told] of [
    [['nowhere'], 1, /^ardm: nowhere has no events\.jsonl, so there is nothing to see\. .*\n$/],
    [['a', '--http', taken], 1, /^ardm: cannot serve the page on .*EADDRINUSE.* --http HOST:PORT.*\n$/],
    [['a', '--http', 'x'], 2, /^ardm: http address "x": expected HOST:PORT.*\n$/],
  ] as const) {
    const view = new Command(t, 'cli', ['view', ...args], { cwd: home });
    assert.equal(await view.exit(), exitCode);
    assert.match(view.stderr, told);
    assert.equal(view.stdout, '');
  }
});
