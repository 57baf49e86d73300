// Writes docs/metrics.md from the registry of a built package: `npm run build && node scripts/metrics-page.mjs`.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** `- `name{labels}` (type): help` */
function rowOf({ name, labelNames, type, help }) {
  const labels = labelNames.length > 0 ? `{${labelNames.join(',')}}` : '';
  return `- \`${name}${labels}\` (${type}): ${help}`;
}

/** The text of docs/metrics.md. */
export function metricsPage(registry) {
  const metrics = registry.getMetricsAsArray();
  const [own, others] = [true, false].map((ours) =>
    metrics.filter(({ name }) => name.startsWith('ardm_') === ours).map(rowOf),
  );
  return `# Metrics

What \`ardm-coord\` serves at \`/metrics\` (\`http\` in the config, \`--http\`; http://127.0.0.1:9464/metrics by default) in
Prometheus's text format. [Observability](observability.md) says what to look at. Durations are in seconds, sizes in
bytes. Counters count since this process started; a histogram has \`_bucket\`, \`_sum\` and \`_count\` series.

## The run

${own.join('\n')}

## The coordinator's process

As every Node process has them under prom-client; some exist on Linux only. The event loop's delay is measured between
two scrapes with a timer of 10 ms, so about 0.01 means that it isn't held up.

${others.join('\n')}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { createMetrics } = await import('../dist/coordinator/metrics.js');
  const { registry } = createMetrics({ version: '', steps: 0 });
  writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage(registry));
}
