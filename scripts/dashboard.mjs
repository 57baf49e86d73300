// Writes deploy/grafana/dashboards/ardm.json: `node scripts/dashboard.mjs`. A test says when it is due.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as prettier from 'prettier';
import { DATASOURCE } from './dashboard-panels.mjs';
import { ROWS } from './dashboard-rows.mjs';

/** Grafana's grid has so many columns. */
const WIDTH = 24;

/** Rows one below another, each panel right of the one before. */
function layOut(rows) {
  const panels = [];
  let y = 0;
  let id = 1;
  for (const [title, height, row] of rows) {
    if (title) {
      panels.push({
        id: id++,
        type: 'row',
        title,
        collapsed: false,
        panels: [],
        gridPos: { x: 0, y, w: WIDTH, h: 1 },
      });
      y += 1;
    }
    let x = 0;
    for (const { w, ...rest } of row) {
      panels.push({ id: id++, gridPos: { x, y, w, h: height }, ...rest });
      x += w;
    }
    y += height;
  }
  return panels;
}

/** The dashboard, as Grafana loads it. */
export function dashboard() {
  const made = {
    uid: 'ardm',
    title: 'ARDM training',
    description: 'One run, as its coordinator sees it. docs/observability.md tells what to look at.',
    tags: ['ardm'],
    schemaVersion: 42,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '10s',
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        {
          type: 'datasource',
          name: 'datasource',
          label: 'Prometheus',
          query: 'prometheus',
          refresh: 1,
          regex: '',
          includeAll: false,
          multi: false,
          options: [],
          current: {},
          hide: 0,
        },
        {
          type: 'query',
          name: 'instance',
          label: 'Coordinator',
          description: 'Where the coordinator serves /metrics.',
          datasource: DATASOURCE,
          definition: 'label_values(ardm_build_info, instance)',
          query: { qryType: 1, query: 'label_values(ardm_build_info, instance)', refId: 'instance' },
          refresh: 2,
          regex: '',
          sort: 1,
          includeAll: false,
          multi: false,
          options: [],
          current: {},
          hide: 0,
        },
      ],
    },
    panels: layOut(ROWS),
  };
  return JSON.parse(JSON.stringify(made));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = fileURLToPath(new URL('../deploy/grafana/dashboards/ardm.json', import.meta.url));
  const options = await prettier.resolveConfig(file);
  await writeFile(file, await prettier.format(JSON.stringify(dashboard()), { ...options, filepath: file }));
}
