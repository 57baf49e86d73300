import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { serveHttp } from '../../coordinator/http.js';
import { createMetrics } from '../../coordinator/metrics.js';
import { madeUpRun, stepEvent } from '../coordinator/made-up-run.js';
import { unchecked } from '../support/unchecked.js';
import { queries } from './dashboard.js';
import { join, start, tinyRun } from '../e2e/tiny-run.js';
import { registries } from './registries.js';
import { ask, hasPrometheus, promtool, query, startPrometheus, until } from './prometheus.js';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[];
}

/** Without what every process has. */
const ofWorkersAlone = (scrape: string): string =>
  scrape
    .split('\n')
    .filter((line) => line.includes('ardm_replica_'))
    .map((line) => `${line}\n`)
    .join('');

/** Serves a run that has seen everything once and goes on, a step every 100 ms; gives `HOST:PORT`. */
async function serveMadeUpRun(t: TestContext): Promise<string> {
  let step = 10;
  const gpu = { use: 0.9, memoryUsed: 2 ** 33, memory: 2 ** 34, celsius: 60 };
  const members = () => [
    { slot: 0, ready: true, step, silentSeconds: 0.1, slices: 8 * step, sliceSeconds: step / 10, gpu },
  ];
  const metrics = createMetrics({
    version: '1.2.3',
    steps: 100_000,
    numClasses: 256,
    members,
    diskFree: () => 2 ** 40,
  });
  for (const [event] of madeUpRun(10)) metrics(event, Date.now());
  const steps = setInterval(() => metrics(stepEvent(++step), Date.now()), 100);
  t.after(() => clearInterval(steps));
  const server = await serveHttp('127.0.0.1:0', metrics.registry);
  t.after(() => server.close());
  return new URL(server.url).host;
}

test('promtool finds the names and types of a scrape as they should be', async (t) => {
  if (!hasPrometheus) return unchecked(t, 'promtool check metrics: Prometheus is not installed');
  const scraped = await fetch(`http://${await serveMadeUpRun(t)}/metrics`);
  const own = await registries.worker.metrics();
  const { said } = promtool(['check', 'metrics'], `${await scraped.text()}${ofWorkersAlone(own)}`);
  // It takes the bits of information theory for a badly chosen unit of storage.
  const bits = /^ardm_\w+_bits_per_dim use base unit "bytes" instead of "bits"$/;
  const complaints = said.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'));
  assert.deepEqual(
    complaints.filter((line) => !bits.test(line)),
    [],
  );
});

/** Asks every query of both dashboards; tells those that nothing comes of. */
async function emptyQueries(prometheus: string, instance: string): Promise<string[]> {
  const empty: string[] = [];
  for (const { title, expr } of queries) {
    const filled = expr.replaceAll('$instance', instance).replaceAll('$__rate_interval', '30s');
    assert.doesNotMatch(filled, /\$/, title);
    const found = await query(prometheus, filled);
    const isFinite = found.every(({ value }) => Number.isFinite(Number(value[1])));
    if (found.length === 0 || !isFinite) empty.push(`${title}: ${filled}`);
  }
  return empty;
}

/** Waits until every query has an answer, but for those that have a reason to have none. */
async function assertAnswered(
  prometheus: string,
  instance: string,
  mayBeEmpty: (text: string) => boolean,
): Promise<void> {
  let empty: string[] = [];
  const isAnswered = async () => {
    empty = (await emptyQueries(prometheus, instance)).filter((text) => !mayBeEmpty(text));
    return empty.length === 0;
  };
  await until('every query had an answer', isAnswered, 40_000).catch(() => undefined);
  assert.deepEqual(empty, []);
}

const isQuiet = (text: string) => text.includes('ALERTS');

test('Prometheus scrapes a run and has an answer to every query of a coordinator', async (t) => {
  if (!hasPrometheus) return unchecked(t, 'a real Prometheus: it is not installed');
  const instance = await serveMadeUpRun(t);
  const prometheus = await startPrometheus(t, { coordinators: [instance] });
  await until('there were five scrapes', async () => {
    return (await query(prometheus, 'count_over_time(ardm_step[1m]) > 4')).length === 1;
  });
  const up = await query(prometheus, `up{job="ardm", instance="${instance}"}`);
  assert.deepEqual(
    up.map(({ value }) => value[1]),
    ['1'],
  );
  await assertAnswered(prometheus, instance, (text) => isQuiet(text) || text.includes('job="ardm-worker"'));
  const health = async () => {
    const { groups } = await ask<Rules>(prometheus, 'rules');
    return groups.flatMap(({ rules }) => rules.map((rule) => rule.health));
  };
  await until('every rule was evaluated', async () => !(await health()).includes('unknown'));
  assert.deepEqual(new Set(await health()), new Set(['ok']));
});

test('Prometheus scrapes a real coordinator and a real worker: only GPUs have no answer on a CPU', async (t) => {
  if (!hasPrometheus) return unchecked(t, 'a real Prometheus: it is not installed');
  const { config, folder } = await tinyRun(t);
  const sets = ['training.steps=100000', 'evaluation.everySteps=8', 'samples.everySteps=8'];
  const run = start(
    t,
    config,
    folder,
    sets.flatMap((set) => ['--set', set]),
  );
  const worker = await join(t, run, ['--http', '127.0.0.1:0']);
  const { http } = await run.event('listen');
  const instance = new URL(http).host;
  const told = () => /metrics at http:\/\/(\S+)\/metrics/.exec(worker.stderr)?.[1];
  await until('the worker told where its metrics are', async () => told() !== undefined);
  const prometheus = await startPrometheus(
    t,
    { coordinators: [instance], workers: [told()!] },
    { interval: '500ms' },
  );
  await run.event('samples');
  await run.event('checkpoint');
  await assertAnswered(prometheus, instance, (text) => isQuiet(text) || text.includes('_gpu_'));
  assert.equal((await query(prometheus, 'ALERTS{alertstate="firing"}')).length, 0);
  const [lag] = await query(prometheus, 'ardm_worker_step_lag');
  assert.ok(Number(lag!.value[1]) <= 2, `${lag!.value[1]} steps behind`);
});
