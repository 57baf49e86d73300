import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createMetrics } from '../../coordinator/metrics.js';
import { packageRoot } from '../../shared/package.js';
import { unchecked } from '../support/unchecked.js';
import { DEPLOY, hasPrometheus, promtool } from './prometheus.js';
import { selectorsOf, seriesOf } from './promql.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const file = path.join(DEPLOY, 'alerts.yml');
const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

test('every metric and label of the alerts is one of the registry', () => {
  const series = seriesOf(createMetrics({ version: '', steps: 1, numClasses: 2 }).registry);
  for (const { alert, expr } of rules) {
    for (const { metric, labels } of selectorsOf(expr)) {
      const known = series.get(metric);
      assert.ok(known, `${alert}: ${metric}`);
      for (const label of labels) assert.ok(known.includes(label), `${alert}: ${metric} ${label}`);
    }
  }
});

test('every alert says how bad it is, what is wrong and where, and docs/observability.md what to do', () => {
  const page = readFileSync(path.join(packageRoot, 'docs/observability.md'), 'utf8');
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.ok(annotations.summary && /\$labels\.instance/.test(annotations.description), alert);
    assert.ok(page.includes(`\`${alert}\``), `${alert} is not in docs/observability.md`);
  }
});

test('promtool takes the scrape file and the alerts', (t) => {
  if (!hasPrometheus) return unchecked(t, 'promtool check: Prometheus is not installed');
  for (const args of [
    ['check', 'config', path.join(DEPLOY, 'prometheus.yml')],
    ['check', 'rules', file],
  ]) {
    const { status, said } = promtool(args);
    assert.equal(status, 0, said);
  }
});

test('alerts fire when they should and are quiet in a healthy run', (t) => {
  if (!hasPrometheus) return unchecked(t, 'promtool test rules: Prometheus is not installed');
  const situations = path.join(packageRoot, 'test/deploy/alerts.yaml');
  const { status, said } = promtool(['test', 'rules', situations]);
  assert.equal(status, 0, said);
  const text = readFileSync(situations, 'utf8');
  for (const { alert } of rules) assert.ok(text.includes(`"${alert}"`), `no situation fires ${alert}`);
});
