import type { Registry } from 'prom-client';

/** A metric in a PromQL expression, and the labels that its selector asks for. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

const KEYWORDS = new Set([
  'and',
  'or',
  'unless',
  'by',
  'without',
  'on',
  'ignoring',
  'offset',
  'bool',
  'group_left',
  'group_right',
]);

/** The selectors of an expression of the plain kind that dashboards and alerts are made of. */
export function selectorsOf(expression: string): Selector[] {
  const bare = expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/(?<![\w:{])([a-zA-Z_][\w:]*)\s*(\(|\{([^}]*)\})?/g)].flatMap(
    ([, metric, bracket, matchers = '']) =>
      bracket === '(' || KEYWORDS.has(metric!)
        ? []
        : {
            metric: metric!,
            labels: [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)/g)].map(([, label]) => label!),
          },
  );
}

/** The labels of every series that a scrape of `registries` gives, by name, and of those that Prometheus adds. */
export function seriesOf(...registries: readonly Registry[]): Map<string, readonly string[]> {
  const scraped = ['job', 'instance'];
  const series = new Map<string, readonly string[]>([
    ['up', scraped],
    ['ALERTS', [...scraped, 'alertname', 'alertstate']],
  ]);
  for (const { name, type, labelNames } of registries.flatMap(metricsOf)) {
    const labels = [...scraped, ...labelNames];
    if (type !== 'histogram') series.set(name, labels);
    else {
      series.set(`${name}_bucket`, [...labels, 'le']);
      for (const part of ['sum', 'count']) series.set(`${name}_${part}`, labels);
    }
  }
  return series;
}

const metricsOf = (registry: Registry) => registry.getMetricsAsArray() as unknown as Metric[];

interface Metric {
  readonly name: string;
  readonly type: unknown;
  readonly labelNames: readonly string[];
}
