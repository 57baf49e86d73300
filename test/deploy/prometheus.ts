import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

export const DEPLOY = path.join(packageRoot, 'deploy/prometheus');
const WAIT_MS = 20_000;

/** Whether Prometheus and its promtool are on this machine. */
export const hasPrometheus = ['prometheus', 'promtool'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
);

/** Runs promtool; gives its exit code and all that it says. */
export function promtool(args: readonly string[], input?: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

interface ScrapeFile {
  global: Record<string, string>;
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
}

/** Who is scraped, `HOST:PORT` each. */
export interface Targets {
  readonly coordinators: readonly string[];
  readonly workers?: readonly string[];
}

/**
 * Starts Prometheus on the project's own scrape file and rules, with other targets and a faster clock; gives its URL.
 *
 * @param adapt changes the text of the rules
 * @param interval between two scrapes
 */
export async function startPrometheus(
  t: TestContext,
  { coordinators, workers = [] }: Targets,
  { adapt = (rules: string) => rules, interval = '200ms' } = {},
): Promise<string> {
  const running: ChildProcess[] = [];
  t.after(() => Promise.all(running.map(stop))); // before the folder goes
  const folder = await temporaryFolder(t);
  const config = parse(readFileSync(path.join(DEPLOY, 'prometheus.yml'), 'utf8')) as ScrapeFile;
  const targets: Record<string, readonly string[]> = { ardm: coordinators, 'ardm-worker': workers };
  for (const job of config.scrape_configs) job.static_configs[0]!.targets = [...targets[job.job_name]!];
  config.global = { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval };
  writeFileSync(path.join(folder, 'prometheus.yml'), stringify(config));
  for (const rules of ['recording.yml', 'alerts.yml'])
    writeFileSync(path.join(folder, rules), adapt(readFileSync(path.join(DEPLOY, rules), 'utf8')));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${path.join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  running.push(child);
  const lines: string[] = [];
  const deadline = AbortSignal.timeout(WAIT_MS);
  for await (const line of createInterface({ input: child.stderr, signal: deadline })) {
    lines.push(line);
    const address = /Listening on.* address=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stderr.resume();
    await until('Prometheus is ready', async () => (await fetch(`http://${address}/-/ready`)).ok);
    return `http://${address}`;
  }
  throw new Error(`Prometheus did not start:\n${lines.join('\n')}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
  child.kill('SIGTERM');
  await once(child, 'exit');
  clearTimeout(kill);
}

/** Waits until `what` is so, 20 s at most unless told otherwise. */
export async function until(what: string, isSo: () => Promise<boolean>, waitMs = WAIT_MS): Promise<void> {
  for (const deadline = Date.now() + waitMs; !(await isSo()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`waited ${waitMs / 1000} s in vain until ${what}`);
  }
}

/** One answer of Prometheus's HTTP API. */
export async function ask<T>(
  url: string,
  route: string,
  parameters: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(`${url}/api/v1/${route}?${new URLSearchParams(parameters)}`);
  const answer = (await response.json()) as { status: string; error?: string; data: T };
  if (answer.status !== 'success') throw new Error(`${route} ${JSON.stringify(parameters)}: ${answer.error}`);
  return answer.data;
}

/** A series of an instant query's answer: its labels, and its value at that time. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** What an expression comes to right now. */
export async function query(url: string, expression: string): Promise<readonly Sample[]> {
  return (await ask<{ result: readonly Sample[] }>(url, 'query', { query: expression })).result;
}
