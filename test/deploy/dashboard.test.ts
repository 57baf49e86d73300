import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { packageRoot } from '../../shared/package.js';
import { dashboards, queries } from './dashboard.js';
import { selectorsOf, seriesOf } from './promql.js';
import { registries } from './registries.js';

const series = seriesOf(registries.coordinator, registries.worker);
const read = (file: string) => parse(readFileSync(path.join(packageRoot, 'deploy', file), 'utf8'));

test('the dashboards are what the script makes', async () => {
  const script = pathToFileURL(path.join(packageRoot, 'scripts/dashboards/write.mjs')).href;
  const made = (await import(script)) as { dashboards(): unknown };
  assert.deepEqual(dashboards, made.dashboards(), 'run node scripts/dashboards/write.mjs');
});

test('every metric, label and legend of their queries is one of the registries', () => {
  assert.ok(queries.length > 50);
  for (const { title, expr, legendFormat } of queries) {
    const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    for (const { metric, labels } of selectorsOf(expr)) {
      const known = series.get(metric);
      assert.ok(known, `${title}: ${metric}`);
      for (const label of [...labels, ...legend])
        assert.ok(known.includes(label), `${title}: ${metric} ${label}`);
      const isNarrowed = labels.includes('instance') || expr.includes('job="ardm-worker"');
      assert.ok(isNarrowed, `${title}: ${metric} is not narrowed to the chosen coordinator, or to workers`);
    }
  }
});

test('every metric of the run is on one of them', () => {
  const shown = new Set(queries.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric)));
  const own = [...seriesOf(registries.coordinator).keys()].filter(
    (name) => name.startsWith('ardm_') && !/_(sum|count)$/.test(name),
  );
  const missing = own.filter((name) => !shown.has(name) && !shown.has(name.replace('_bucket', '_sum')));
  assert.deepEqual(missing, ['ardm_run_info'], 'which is there to join others with');
});

for (const [name, dashboard] of Object.entries(dashboards)) {
  test(`the panels of ${name} have a description, a unit or whole numbers, and the chosen data source`, () => {
    for (const { type, title, description, datasource, fieldConfig, targets } of dashboard.panels) {
      if (type === 'row') continue;
      assert.ok(description, title);
      assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, title);
      assert.ok(targets!.length > 0, title);
      const { unit, decimals } = fieldConfig!.defaults;
      assert.ok(unit !== undefined || decimals === 0 || type === 'stat', `${title} has no unit`);
    }
    assert.deepEqual(
      dashboard.templating.list.map((variable) => `${variable.name}: ${variable.type}`),
      ['datasource: datasource', 'instance: query'],
    );
    assert.equal(dashboard.uid, `ardm-${path.parse(name).name}`);
  });

  test(`the panels of ${name} fill their rows, overlap nowhere and have ids of their own`, () => {
    const taken = new Map<string, string>();
    const widths = new Map<number, number>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      widths.set(y, (widths.get(y) ?? 0) + w);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          const cell = `${column},${line}`;
          assert.ok(!taken.has(cell), `${title} lies on ${taken.get(cell)}`);
          taken.set(cell, title);
        }
    }
    assert.deepEqual(new Set(widths.values()), new Set([24]));
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });
}

test('Grafana is provisioned with the folder of the dashboards and a Prometheus that scrapes as often', () => {
  const { providers } = read('grafana/provisioning/dashboards/ardm.yaml');
  const folder = providers[0].options.path.replace('$ARDM_DEPLOY', path.join(packageRoot, 'deploy'));
  assert.ok(existsSync(folder));
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(dashboards).sort());
  const { datasources } = read('grafana/provisioning/datasources/prometheus.yaml');
  const { global } = read('prometheus/prometheus.yml');
  assert.equal(datasources[0].type, 'prometheus');
  assert.equal(datasources[0].jsonData.timeInterval, global.scrape_interval);
});
