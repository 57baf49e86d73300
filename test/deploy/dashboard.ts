import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../shared/package.js';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly decimals?: number } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

/** The dashboards as they are packed, by the names of their files. */
export const dashboards = Object.fromEntries(
  ['researcher.json', 'operator.json'].map((name) => {
    const file = path.join(packageRoot, 'deploy/grafana/dashboards', name);
    return [name, JSON.parse(readFileSync(file, 'utf8')) as Dashboard];
  }),
);

/** Every query on them, with the panel that it is for. */
export const queries = Object.values(dashboards).flatMap((dashboard) =>
  dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ title: `${dashboard.title}, ${title}`, expr, legendFormat })),
  ),
);
