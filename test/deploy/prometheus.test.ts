import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { serveHttp } from '../../coordinator/http.js';
import { createMetrics } from '../../coordinator/metrics.js';
import { madeUpRun, stepEvent } from '../coordinator/made-up-run.js';
import { unchecked } from '../support/unchecked.js';
import { queries } from './dashboard.js';
import { ask, hasPrometheus, promtool, startPrometheus, until } from './prometheus.js';

interface Vector {
  readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[];
}

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
  const { said } = promtool(['check', 'metrics'], await scraped.text());
  const complaints = said.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'));
  // It takes the bits of information theory for a badly chosen unit of storage.
  assert.deepEqual(complaints, ['ardm_loss_bits_per_dim use base unit "bytes" instead of "bits"']);
});

test('Prometheus scrapes a run and has an answer to every query of the dashboard', async (t) => {
  if (!hasPrometheus) return unchecked(t, 'a real Prometheus: it is not installed');
  const instance = await serveMadeUpRun(t);
  const prometheus = await startPrometheus(t, instance);
  const query = (expression: string) => ask<Vector>(prometheus, 'query', { query: expression });
  const scrapes = () => query('count_over_time(ardm_step[1m]) > 4');
  await until('there were five scrapes', async () => (await scrapes()).result.length === 1);

  const up = await query(`up{job="ardm", instance="${instance}"}`);
  assert.deepEqual(
    up.result.map(({ value }) => value[1]),
    ['1'],
  );
  for (const { title, expr } of queries) {
    const filled = expr.replaceAll('$instance', instance).replaceAll('$__rate_interval', '5s');
    assert.doesNotMatch(filled, /\$/, title);
    const { result } = await query(filled);
    const isQuiet = filled.includes('ALERTS');
    assert.ok(result.length > 0 || isQuiet, `${title}: nothing comes of ${filled}`);
    for (const { value } of result) assert.ok(Number.isFinite(Number(value[1])), `${title}: ${value[1]}`);
  }

  const health = async () => {
    const { groups } = await ask<Rules>(prometheus, 'rules');
    return groups.flatMap(({ rules }) => rules.map((rule) => rule.health));
  };
  await until('every alert was evaluated', async () => !(await health()).includes('unknown'));
  assert.deepEqual(new Set(await health()), new Set(['ok']));
});
