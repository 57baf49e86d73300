import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { statusText } from '../../cli/status-text.js';
import type { RunStatus } from '../../shared/page/views.js';
import { temporaryFolder } from '../data/temporary.js';
import { join, start, tinyRun } from '../e2e/tiny-run.js';
import { Command } from '../e2e/processes.js';
import { join as joined, line, log, servePage, START, stepLines } from '../page/made-up-run.js';

const CONFIG = `
name: a
data: { set: mnist }
model: { network: { kind: unet, channels: 8, groups: 4 } }
training: { steps: 24, batch: 16, slices: 8 }
`;

async function status(t: TestContext, ...args: readonly string[]) {
  const process = new Command(t, 'cli', ['status', ...args]);
  return { exitCode: await process.exit(), stdout: process.stdout, stderr: process.stderr };
}

test('a coordinator is asked how its run is doing, and watched to the end', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '12']);
  const { http } = await run.event('listen');
  const { stdout: waiting } = await status(t, http);
  assert.match(
    waiting,
    /^tiny: waiting: 0 of at least 1 worker ready {2}step 0\/12 \(0\.0 %\) {2}0 workers\n$/,
  );

  const watching = new Command(t, 'cli', ['status', http, '--watch']);
  await join(t, run);
  await run.event('step', ({ step }) => step >= 2);
  const { stdout } = await status(t, http, '--json');
  const [told] = JSON.parse(stdout) as RunStatus[];
  assert.ok(told!.progress.step >= 2 && told!.live);
  assert.equal(told!.workers[0]!.live!.state, 'ready');
  assert.equal(await run.exit(), 0, run.stderr);
  assert.equal(await watching.exit(), 0, watching.stderr);
  assert.match(watching.stdout, /^tiny: waiting: .*\n/);
  const after = await status(t, http);
  assert.deepEqual([after.exitCode, after.stdout], [1, '']);
});

test('workers are a table, and what they sent moves no cursor', async () => {
  const live = {
    slot: 0,
    state: 'ready',
    lag: 0,
    silentSeconds: 0.2,
    examplesPerSecond: 31.5,
    share: 0.5,
  } as const;
  const worker = { slot: 0, host: 'atlas', pid: 7, joinedAt: 0, device: '\x1b[2Jcpu', live };
  const phases = { compute: 3, upload: 1, reduce: 0, publish: 0 };
  const text = statusText({
    ...{ id: '0', name: 'mnist', live: true, unit: 'bits/dim', workers: [worker] },
    progress: {
      ...{ state: 'training', step: 50, steps: 200, epoch: 1, bitsPerDim: 1.25, testBitsPerDim: 1.5 },
      ...{ examplesPerSecond: 63, etaSeconds: 90, phases },
    },
  });
  assert.deepEqual(text.split('\n'), [
    'mnist: training  step 50/200 (25.0 %)  1.250 bits/dim  test 1.500  63 examples/s  ETA 1m 30s  1 worker',
    "  a step's time: compute 75.0 %, upload 25.0 %, reduce 0.0 %, publish 0.0 %",
    '  slot  state  examples/s   share  behind  last seen     host   device',
    '     0  ready        31.5  50.0 %       0  0.2 s ago  atlas/7   [2Jcpu',
  ]);
});

test('the address can come from a config; a watch of what has ended ends', async (t) => {
  const home = await temporaryFolder(t);
  log(path.join(home, 'a'), line('start', 0, START), joined(0), ...stepLines(1, 3), line('done', 3));
  const url = await servePage(t, [path.join(home, 'a')]);
  const config = path.join(home, 'a.yaml');
  const write = (http: string) => writeFileSync(config, `${CONFIG}http: ${http}\n`);
  write(new URL(url).host);
  const watched = await status(t, '--config', config, '--watch', '--json');
  assert.equal(watched.exitCode, 0, watched.stderr);
  const [run] = JSON.parse(watched.stdout) as RunStatus[];
  assert.deepEqual([run!.name, run!.progress.state], ['a', 'done']);
  write('127.0.0.1:0');
  const free = await status(t, '--config', config);
  assert.equal(free.exitCode, 2);
  assert.match(free.stderr, /a\.yaml has http: 127\.0\.0\.1:0, any free port: give the URL/);
});

test('nobody, somebody else and no address are told apart, in a line', async (t) => {
  const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const gone = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const nobody = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((resolve) => gone.close(resolve));
  for (const [url, exitCode, told] of [
    [nobody, 1, /^ardm: nobody answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. .*ardm view RUN\n$/],
    [
      `http://127.0.0.1:${port}`,
      1,
      /^ardm: what answers at .* is no coordinator of this version of ardm .*\n$/,
    ],
    ['localhost', 2, /^ardm: "localhost" is no address of a coordinator: expected a URL .*\n$/],
  ] as const) {
    const { exitCode: ended, stderr } = await status(t, url);
    assert.equal(ended, exitCode, stderr);
    assert.match(stderr, told);
  }
});
