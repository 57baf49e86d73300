// Writes deploy/grafana/dashboards/*.json: `node scripts/dashboards/write.mjs`. A test says when it is due.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as prettier from 'prettier';
import { OPERATOR } from './operator.mjs';
import { DATASOURCE } from './panels.mjs';
import { RESEARCHER } from './researcher.mjs';

const COORDINATORS = 'label_values(ardm_step, instance)';

function build({ uid, title, description, rows }) {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['ardm'])
    .timezone('browser')
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .link(
      new DashboardLinkBuilder('ARDM')
        .type(DashboardLinkType.Dashboards)
        .tags(['ardm'])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Coordinator')
        .description('Where the coordinator serves /metrics.')
        .datasource(DATASOURCE)
        .definition(COORDINATORS)
        .query({ qryType: 1, query: COORDINATORS, refId: 'instance' })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc),
    );
  let id = 0;
  for (const [title, height, panels] of rows) {
    if (title) builder.withRow(new RowBuilder(title).id(++id));
    for (const panel of panels) builder.withPanel(panel.height(height).id(++id));
  }
  return JSON.parse(JSON.stringify(builder.build()));
}

/** The dashboards as Grafana loads them, by the names of their files. */
export const dashboards = () => ({
  'researcher.json': build(RESEARCHER),
  'operator.json': build(OPERATOR),
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, dashboard] of Object.entries(dashboards())) {
    const file = fileURLToPath(new URL(`../../deploy/grafana/dashboards/${name}`, import.meta.url));
    const options = await prettier.resolveConfig(file);
    await writeFile(file, await prettier.format(JSON.stringify(dashboard), { ...options, filepath: file }));
  }
}
