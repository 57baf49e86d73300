import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { version } from '../shared/package.js';

/** A measured series: its median, and between which values it lay. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** What was to be reached and what was found. `not run` is no pass: something to compare with was missing. */
export interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly found: number | undefined;
  readonly verdict: 'met' | 'missed' | 'not run';
}

/** What a benchmark found. */
export interface Findings {
  /** What was measured and how, a sentence or two a line. */
  readonly method: readonly string[];
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  readonly notes: readonly string[];
}

/** `--json` prints exactly this. */
export interface Report extends Findings {
  readonly bench: string;
  readonly command: string;
  readonly startedAt: string;
  readonly machine: Machine;
}

/** One line of the table. Summaries print as `median (min-max)`. */
export type Row = Readonly<Record<string, string | number | Summary | undefined>>;

export interface Machine {
  readonly ardm: string;
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Before the benchmark began: above 0.3 someone else is at work, and the times say less. */
  readonly loadAverage: number;
}

export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/** A target that is met at `limit` or above; `found` undefined: not run. */
export function atLeast(name: string, limit: number, found: number | undefined): Target {
  return { name, wanted: `>= ${limit}`, found, verdict: verdictOf(found, (value) => value >= limit) };
}

/** A target that is met at `limit` or below; `found` undefined: not run. */
export function atMost(name: string, limit: number, found: number | undefined): Target {
  return { name, wanted: `<= ${limit}`, found, verdict: verdictOf(found, (value) => value <= limit) };
}

/** A target that is met from `lower` to `upper`. */
export function within(name: string, [lower, upper]: readonly [number, number], found: number): Target {
  const wanted = `${lower.toFixed(3)} to ${upper.toFixed(3)}`;
  return { name, wanted, found, verdict: verdictOf(found, (value) => value >= lower && value <= upper) };
}

function verdictOf(found: number | undefined, holds: (value: number) => boolean): Target['verdict'] {
  if (found === undefined) return 'not run';
  return holds(found) ? 'met' : 'missed';
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    ardm: version,
    commit: commit(),
    node: process.version,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    loadAverage: loadavg()[0]!,
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** The report as a person reads it. */
export function formatReport(report: Report): string {
  const { bench, machine, command, method, rows, targets, notes } = report;
  const gigabytes = (machine.memoryBytes / 1e9).toFixed(0);
  return [
    `${bench}: ${command}`,
    `${machine.cpu}, ${machine.cores} cores, ${gigabytes} GB, ${machine.system}, node ${machine.node}, ` +
      `ardm ${machine.ardm} (${machine.commit}), load ${machine.loadAverage.toFixed(2)}`,
    ...method,
    '',
    formatTable(rows),
    '',
    formatTable(
      targets.map(({ name, wanted, found, verdict }) => ({ target: name, wanted, found, verdict })),
    ),
    ...notes.map((note) => `\n${note}`),
  ].join('\n');
}

function formatTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns, ...rows.map((row) => columns.map((column) => formatCell(row[column])))];
  const widths = columns.map((_, nth) => Math.max(...lines.map((line) => line[nth]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, nth) => cell.padEnd(widths[nth]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatCell(value: Row[string]): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  return `${formatNumber(value.median)} (${formatNumber(value.min)}-${formatNumber(value.max)})`;
}

/** Three significant digits, whole numbers whole. */
function formatNumber(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
