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
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

/** The dashboard as it is packed. */
export const dashboard = JSON.parse(
  readFileSync(path.join(packageRoot, 'deploy/grafana/dashboards/ardm.json'), 'utf8'),
) as Dashboard;

/** Every query on it, with the panel that it is for. */
export const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);
