import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { serveHttp } from '../../coordinator/http.js';
import { createMetrics, type MetricsOptions } from '../../coordinator/metrics.js';
import type { RunEvent } from '../../coordinator/events.js';
import type { LiveMember } from '../../shared/page/views.js';
import { stepEvent } from '../coordinator/made-up-run.js';
import { unchecked } from '../support/unchecked.js';
import { DEPLOY, hasPrometheus, query, startPrometheus, until } from './prometheus.js';

/** Minutes of the rules take so many milliseconds here. */
const MINUTE_MS = 1000;

/** The rules with all their times made shorter. */
const hasten = (rules: string): string =>
  rules
    .replace(/(?<=\[|for: )(\d+)(m|h)\b/g, (_, count, unit) => {
      const minutes = Number(count) * (unit === 'h' ? 60 : 1);
      return `${minutes * MINUTE_MS}ms`;
    })
    .replace('> 3600', `> ${(60 * MINUTE_MS) / 1000}`);

const START: RunEvent = {
  ...{ event: 'start', step: 0, run: 'a', version: '1', configHash: 'c', numParameters: 1 },
  ...{ steps: 1e6, batch: 64, slices: 8 },
};
const saved = (step: number): RunEvent => ({
  ...{ event: 'checkpoint', step, path: 'c', sha256: 's', bytes: 1e9 },
  ...{ seconds: 1, snapshotSeconds: 0.1, warnings: [] },
});

/** A member that does a slice in a tenth of a second, unless told otherwise. */
const member = (slot: number, step: number, more: Partial<LiveMember> = {}): LiveMember => ({
  ...{ slot, ready: true, step, silentSeconds: 0, slices: 4 * step, sliceSeconds: 0.4 * step },
  ...more,
});

interface Groups {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}

/** What goes wrong with a run. */
interface Trouble {
  readonly isStuck?: boolean;
  /** It has never saved since. */
  readonly savedMinutesAgo?: number;
  readonly options?: Partial<MetricsOptions>;
  readonly members?: (step: number) => LiveMember[];
  /** What it tells of once. */
  readonly events?: readonly RunEvent[];
  readonly goesAway?: boolean;
}

/** A run that takes a step every 100 ms, with some trouble; `begin` makes happen what happens once. */
async function serveRun(t: TestContext, trouble: Trouble): Promise<{ instance: string; begin: () => void }> {
  const { isStuck, savedMinutesAgo, options, events = [], goesAway } = trouble;
  let step = 0;
  const members = () => trouble.members?.(step) ?? [member(0, step), member(1, step)];
  const observe = createMetrics({
    ...{ version: '1', steps: 1e6, numClasses: 256, members, diskFree: () => 1e12 },
    ...options,
  });
  observe(START, Date.now());
  observe(stepEvent(0), Date.now());
  observe(saved(0), Date.now() - (savedMinutesAgo ?? 0) * MINUTE_MS);
  const timer = setInterval(() => {
    if (isStuck) return;
    observe(stepEvent(++step), Date.now());
    if (step % 20 === 0 && savedMinutesAgo === undefined) observe(saved(step), Date.now());
  }, 100);
  const server = await serveHttp('127.0.0.1:0', observe.registry);
  const end = () => {
    clearInterval(timer);
    return server.close();
  };
  t.after(end);
  const begin = () => {
    for (const event of events) observe(event, Date.now());
    if (goesAway) void end();
  };
  return { instance: new URL(server.url).host, begin };
}

const leave: RunEvent = { event: 'leave', step: 0, slot: 1, pid: 1, reason: 'silent for 5 s', members: 1 };

/** A run for each alert, whose trouble should make that fire and no other. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  ArdmNoCommittedStep: { isStuck: true },
  ArdmNoWorkers: { members: () => [] },
  ArdmCoordinatorGone: { goesAway: true },
  ArdmCheckpointStale: { savedMinutesAgo: 70 },
  ArdmCheckpointFailed: {
    events: [{ event: 'checkpoint-failed', step: 0, reason: 'ENOSPC: no space left on device' }],
  },
  ArdmWorkerFlapping: { events: [leave, leave, leave, leave] },
  ArdmStateDivergence: { events: [{ event: 'divergence', step: 0, slot: 1, expected: 'a', found: 'b' }] },
  ArdmNonfiniteGradients: { events: [{ event: 'nonfinite', step: 0, slot: 1, tensor: 'w' }] },
  ArdmWorkerSlow: { members: (step) => [member(0, step), member(1, step, { sliceSeconds: step })] },
  ArdmWorkerBehind: { members: (step) => [member(0, step), member(1, step - 3)] },
  ArdmDiskFilling: { options: { diskFree: () => 1.9e9 } },
  ArdmJournalFailed: { events: [{ event: 'journal-failed', step: 0, reason: 'ENOSPC' }] },
  ArdmConnectionsRefused: { options: { refused: refusedOverTime() } },
  ArdmGpuHot: { members: (step) => [member(0, step), member(1, step, { gpu: { celsius: 92 } })] },
};

/** Two more at each scrape. */
function refusedOverTime(): () => number {
  let count = 0;
  return () => (count += 2);
}

test('there is a trouble for every alert, but for an event loop that is held up, which would hold up all', () => {
  const { groups } = parse(readFileSync(path.join(DEPLOY, 'alerts.yml'), 'utf8')) as Groups;
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  assert.deepEqual(
    Object.keys(TROUBLES).sort(),
    alerts.filter((alert) => alert !== 'ArdmCoordinatorBusy').sort(),
  );
});

test('each trouble makes its own alert fire, and no other, and a healthy run none', async (t) => {
  if (!hasPrometheus) return unchecked(t, 'alerts of a real Prometheus: it is not installed');
  const healthy = await serveRun(t, {});
  const runs = await Promise.all(Object.values(TROUBLES).map((trouble) => serveRun(t, trouble)));
  const coordinators = [healthy, ...runs].map(({ instance }) => instance);
  const prometheus = await startPrometheus(t, { coordinators }, { adapt: hasten, interval: '500ms' });
  const scraped = () => query(prometheus, 'count_over_time(ardm_step[10s]) > 2');
  await until('everyone was scraped', async () => (await scraped()).length === coordinators.length);
  for (const { begin } of runs) begin();

  const fired = new Map<string, Set<string>>();
  const isOver = async () => {
    for (const { metric } of await query(prometheus, 'ALERTS{alertstate="firing"}')) {
      const { instance, alertname } = metric;
      fired.set(instance!, (fired.get(instance!) ?? new Set()).add(alertname!));
    }
    return runs.every(({ instance }) => fired.has(instance));
  };
  await until('every alert fired', isOver, 60_000).catch(() => undefined);
  const found = Object.keys(TROUBLES).map((alert, nth) => [
    alert,
    [...(fired.get(runs[nth]!.instance) ?? [])],
  ]);
  assert.deepEqual(
    found,
    Object.keys(TROUBLES).map((alert) => [alert, [alert]]),
  );
  assert.equal(fired.get(healthy.instance), undefined, 'a healthy run fires nothing');
});
