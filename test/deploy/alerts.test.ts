import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../../shared/package.js';
import { unchecked } from '../support/unchecked.js';
import { DEPLOY, hasPrometheus, promtool } from './prometheus.js';
import { selectorsOf, seriesOf } from './promql.js';
import { registries } from './registries.js';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Recorded {
  readonly record: string;
  readonly expr: string;
}

function rulesOf<Rule>(name: string): Rule[] {
  const { groups } = parse(readFileSync(path.join(DEPLOY, name), 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

const alerts = rulesOf<Alert>('alerts.yml');
const recorded = rulesOf<Recorded>('recording.yml');

test('every metric and label of the rules is one of the registry, or recorded', () => {
  const series = seriesOf(registries.coordinator);
  for (const { record } of recorded) series.set(record, ['job', ...record.split(':', 1)[0]!.split('_')]);
  for (const { expr, ...rule } of [...recorded, ...alerts]) {
    const name = 'alert' in rule ? rule.alert : rule.record;
    for (const { metric, labels } of selectorsOf(expr)) {
      const known = series.get(metric);
      assert.ok(known, `${name}: ${metric}`);
      for (const label of labels) assert.ok(known.includes(label), `${name}: ${metric} ${label}`);
    }
  }
});

test('every alert says how bad it is, what is wrong and where, and docs/observability.md what to do', () => {
  const page = readFileSync(path.join(packageRoot, 'docs/observability.md'), 'utf8');
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.ok(annotations.summary && /\$labels\.instance/.test(annotations.description), alert);
    assert.ok(page.includes(`\`${alert}\``), `${alert} is not in docs/observability.md`);
  }
});

test('promtool takes the scrape file and the rules', (t) => {
  if (!hasPrometheus) return unchecked(t, 'promtool check: Prometheus is not installed');
  for (const args of [
    ['check', 'config', path.join(DEPLOY, 'prometheus.yml')],
    ['check', 'rules', path.join(DEPLOY, 'recording.yml'), path.join(DEPLOY, 'alerts.yml')],
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
  for (const { alert } of alerts) assert.ok(text.includes(`"${alert}"`), `no situation fires ${alert}`);
  for (const { record } of recorded)
    assert.ok(text.includes(`${record}{`), `nothing is recorded as ${record}`);
});
