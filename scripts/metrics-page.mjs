// Writes docs/metrics.md from the registries of a built package: `npm run build && node scripts/metrics-page.mjs`.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** `- `name{labels}` (type): help` */
function rowOf({ name, labelNames, type, help }) {
  const labels = labelNames.length > 0 ? `{${labelNames.join(',')}}` : '';
  return `- \`${name}${labels}\` (${type}): ${help}`;
}

function rowsOf(registry, ours) {
  const metrics = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('ardm_') === ours);
  return metrics.map(rowOf).join('\n');
}

/** The text of docs/metrics.md, of the registries of a coordinator and a worker. */
export function metricsPage(coordinator, worker) {
  return `# Metrics

What \`ardm-coord\` serves at \`/metrics\` (\`http\` in the config, \`--http\`; http://127.0.0.1:9464/metrics by default), and \`ardm-worker\`
where it is asked to (\`--http\`), in Prometheus's text format. [Observability](observability.md) says what to look at. Durations are in seconds, sizes in
bytes. Counters count since the process started, those of a slot since its worker joined; a histogram has \`_bucket\`, \`_sum\` and \`_count\` series.

## The run

${rowsOf(coordinator, true)}

## A worker

Its own account, where the coordinator only sees when its messages come.

${rowsOf(worker, true)}

## Each process

As every Node process has them under prom-client; some exist on Linux only. The event loop's delay is measured between
two scrapes with a timer of 10 ms, so about 0.01 means that it isn't held up.

${rowsOf(coordinator, false)}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { createMetrics } = await import('../dist/coordinator/metrics.js');
  const { createWorkerMetrics } = await import('../dist/worker/metrics.js');
  const coordinator = createMetrics({ version: '', steps: 0, numClasses: 2 });
  const device = { description: '', provider: '' };
  const worker = createWorkerMetrics({ version: '', device, lanes: 1, gpu: () => undefined });
  const page = metricsPage(coordinator.registry, worker.registry);
  writeFileSync(new URL('../docs/metrics.md', import.meta.url), page);
}
