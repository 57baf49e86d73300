import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bestEvaluation } from '../../coordinator/best-evaluation.js';
import { eventLine } from '../../coordinator/event-log.js';
import { fullName } from '../../shared/event-files.js';
import type { RunEvent } from '../../coordinator/events.js';
import { Notices, type NoticesOptions } from '../../coordinator/notices.js';
import { configSchema } from '../../shared/config/schema.js';
import { temporaryFolder } from '../data/temporary.js';
import { madeUpRun, STARTED_AT, stepEvent } from './made-up-run.js';

type Told = Record<string, unknown> & { notice: string; text: string };

interface Options extends Partial<Omit<NoticesOptions, 'settings'>> {
  /** Of the config. */
  readonly notify?: object;
}

/** Notices by a command that keeps them. */
async function notices(t: TestContext, { notify, ...options }: Options = {}) {
  const file = path.join(await temporaryFolder(t), 'told');
  const failures: RunEvent[] = [];
  const made = new Notices({
    settings: configSchema.shape.notify.parse({ command: ['tee', '-a', file], ...notify }),
    ...{ name: 'mnist', folder: 'runs/mnist', best: undefined, waitingSeconds: () => undefined },
    emit: (event) => failures.push(event),
    ...options,
  });
  const read = (): Told[] => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as Told);
  };
  return { made, failures, read };
}

const evaluation = (step: number, bitsPerDim: number): RunEvent => ({
  ...{ event: 'evaluation', step, split: 'test', bitsPerDim, standardError: 0.01, examples: 10, seconds: 1 },
});
const failed = (exitCode: number): RunEvent => ({ event: 'failed', step: 7, reason: 'no luck', exitCode });
const waiting: RunEvent = { event: 'waiting', step: 3, reason: '0 of at least 1 worker ready' };

test('the end of a run is told, with what came of it', async (t) => {
  const { made, read } = await notices(t);
  for (const [event, time] of madeUpRun()) made.observe(event, time);
  await made.close();
  const [told, ...others] = read();
  assert.deepEqual(others, []);
  assert.match(told!.text, /^mnist on \S+: done at step 10 after 1m 15s, best test bound 1\.2500 bits\/dim$/);
  const { notice, name, folder, time, event, step, seconds, sha256 } = told!;
  assert.deepEqual(
    { notice, name, folder, time, event, step, seconds, sha256 },
    {
      ...{ notice: 'done', name: 'mnist', folder: 'runs/mnist', time: '2022-04-25T12:00:10.000Z' },
      ...{ event: 'done', step: 10, seconds: 75, sha256: 'f00d' },
    },
  );
});

test('a failure is told, and so is a signal, but not Ctrl-C', async (t) => {
  for (const [exitCode, numTold] of [
    [1, 1],
    [3, 1],
    [143, 1],
    [130, 0],
  ] as const) {
    const { made, read } = await notices(t);
    made.observe(failed(exitCode), 0);
    await made.close();
    assert.equal(read().length, numTold, `exit code ${exitCode}`);
    if (numTold > 0) assert.match(read()[0]!.text, /: stopped at step 7: no luck$/);
  }
});

test('an evaluation is told that is better than all before, those of earlier processes too', async (t) => {
  const { made, read } = await notices(t, { best: 2 });
  [2.5, 2, 1.5, 1.5, 1.6, 1.25].forEach((bound, i) => made.observe(evaluation(i, bound), 0));
  await made.close();
  assert.deepEqual(
    read().map(({ notice, step, bitsPerDim, before }) => [notice, step, bitsPerDim, before]),
    [
      ['best', 2, 1.5, 2],
      ['best', 5, 1.25, 1.5],
    ],
  );

  const fresh = await notices(t);
  fresh.made.observe(evaluation(1, 3), 0);
  await fresh.made.close();
  assert.deepEqual(fresh.read(), []);
});

test('waiting is told once it has lasted, and once only', async (t) => {
  let seconds: number | undefined = 0.01;
  const { made, read } = await notices(t, {
    notify: { waitingSeconds: 0.05 },
    waitingSeconds: () => seconds,
  });
  made.observe(waiting, 0);
  await sleep(80);
  assert.deepEqual(read(), []);
  seconds = 61;
  made.observe({ ...waiting, reason: '0 of at least 1 worker ready, 1 loading' }, 0);
  await sleep(150);
  made.observe(waiting, 0);
  await sleep(100);
  await made.close();
  const told = read();
  assert.equal(told.length, 1);
  assert.match(told[0]!.text, /: waiting for 1m 01s at step 3: 0 of at least 1 worker ready, 1 loading$/);
  assert.equal(told[0]!.seconds, 61);
});

test('waiting that is over by then is not told; the next one is, after a step', async (t) => {
  let seconds: number | undefined;
  const { made, read } = await notices(t, {
    notify: { waitingSeconds: 0.02 },
    waitingSeconds: () => seconds,
  });
  made.observe(waiting, 0);
  await sleep(60);
  assert.deepEqual(read(), []);
  for (seconds of [1, 2]) {
    made.observe(waiting, 0);
    await sleep(60);
    made.observe(stepEvent(4), 0);
  }
  await made.close();
  assert.deepEqual(
    read().map(({ seconds }) => seconds),
    [1, 2],
  );
});

test('only what is asked for is told', async (t) => {
  const { made, read } = await notices(t, { notify: { on: ['failed'] }, best: 9 });
  made.observe(evaluation(1, 3), 0);
  made.observe({ event: 'done', step: 2, seconds: 1, sha256: '' }, 0);
  made.observe(failed(1), 0);
  await made.close();
  assert.deepEqual(
    read().map(({ notice }) => notice),
    ['failed'],
  );
});

test('a notice that is not delivered is an event; the other way is not held up by it', async (t) => {
  const server = createServer((_, response) => setTimeout(() => response.writeHead(404).end(), 200));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/s3cret`;
  const { made, failures, read } = await notices(t, { notify: { webhook } });
  made.observe(failed(1), 0);
  while (read().length === 0) await sleep(10);
  assert.deepEqual(failures, []);
  await made.close();
  const failure = { event: 'notice-failed', step: 7, notice: 'failed', by: 'webhook', reason: 'HTTP 404' };
  assert.deepEqual(failures, [failure]);
});

test('notices that pile up behind a slow receiver are dropped, and told of', async (t) => {
  const { made, failures } = await notices(t, { notify: { command: ['sleep', '0.02'] }, best: 1000 });
  for (let step = 1; step <= 25; step++) made.observe(evaluation(step, 1000 - step), 0);
  await made.close();
  assert.equal(failures.length, 5);
  assert.match((failures[0] as { reason: string }).reason, /20 notices before it/);
});

test('the best evaluation so far is that of the log since the run began anew', async (t) => {
  const log = path.join(await temporaryFolder(t), 'events.jsonl');
  assert.equal(await bestEvaluation(log), undefined);
  const [start] = madeUpRun()[0]!;
  const lines = (...events: RunEvent[]) => events.map((event) => eventLine(event, STARTED_AT)).join('');
  const old = lines(start, evaluation(10, 0.5));
  const anew = lines(
    start,
    evaluation(10, 2),
    evaluation(20, 1.5),
    { ...start, step: 20 },
    evaluation(30, 1.75),
  );
  await writeFile(log, `${old}${anew}{"time":"2022`);
  assert.equal(await bestEvaluation(log), 1.5);
  await rename(log, fullName(log, 1));
  await writeFile(log, lines(evaluation(40, 1.25)));
  assert.equal(await bestEvaluation(log), 1.25, 'across the seam to the next file');
});
