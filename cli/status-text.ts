import { PHASES, type RunStatus, type WorkerView } from '../shared/page/views.js';
import { count, duration, percent, rate } from '../shared/words.js';
import { formatTable } from './table.js';

/** A run in one line, the most important first. */
export function statusLine({ name, unit, progress, workers, live }: RunStatus): string {
  const { state, reason, step, steps, bitsPerDim, testBitsPerDim, examplesPerSecond, etaSeconds } = progress;
  const share = steps > 0 ? ` (${percent(step / steps)})` : '';
  const parts = [
    `${name}: ${state}${reason === undefined ? '' : `: ${reason}`}`,
    `step ${step}/${steps}${share}`,
    bitsPerDim !== undefined && `${bitsPerDim.toFixed(3)} ${unit}`,
    testBitsPerDim !== undefined && `test ${testBitsPerDim.toFixed(3)}`,
    examplesPerSecond !== undefined && `${rate(examplesPerSecond)} examples/s`,
    etaSeconds !== undefined && `ETA ${duration(etaSeconds)}`,
    live && count(workers.length, 'worker'),
  ];
  return clean(parts.filter(Boolean).join('  '));
}

/** A run in a few lines: its state, where a step's time goes, and its workers. */
export function statusText(status: RunStatus): string {
  const { progress, workers } = status;
  const lines = [statusLine(status)];
  if (progress.phases) {
    const { phases } = progress;
    const total = PHASES.reduce((sum, name) => sum + phases[name], 0);
    const shares = PHASES.map((name) => `${name} ${percent(total > 0 ? phases[name] / total : 0)}`);
    lines.push(`  a step's time: ${shares.join(', ')}`);
  }
  if (workers.length > 0) lines.push(tableOf(workers));
  return lines.join('\n');
}

function tableOf(workers: readonly WorkerView[]): string {
  const cells = (of: (worker: WorkerView) => string | undefined) =>
    workers.map((worker) => clean(of(worker) ?? ''));
  return formatTable([
    { name: 'slot', cells: cells(({ slot }) => String(slot)) },
    { name: 'state', cells: cells(({ live }) => live?.state) },
    { name: 'examples/s', cells: cells(({ live }) => live?.examplesPerSecond?.toString()) },
    { name: 'share', cells: cells(({ live }) => (live?.share === undefined ? '' : percent(live.share))) },
    { name: 'behind', cells: cells(({ live }) => live?.lag.toString()) },
    { name: 'last seen', cells: cells(({ live }) => live && `${duration(live.silentSeconds)} ago`) },
    { name: 'host', cells: cells(({ host, pid }) => `${host}/${pid}`) },
    { name: 'device', cells: cells(({ device }) => device) },
  ]);
}

/** Text that a worker may have sent, without what would move a terminal's cursor. */
const clean = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ');
