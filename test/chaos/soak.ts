import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.js';
import { writeConfig } from './setup.js';

/** What a process has in hand. */
interface Load {
  readonly step: number;
  readonly residentBytes: number;
  readonly handles: number;
}

/** Growth of one process over the second half of the steps. */
interface Growth {
  readonly process: string;
  readonly residentBytes: { readonly first: number; readonly half: number; readonly last: number };
  readonly handles: { readonly first: number; readonly half: number; readonly last: number };
}

export interface SoakSummary {
  readonly steps: number;
  readonly seconds: number;
  readonly processes: readonly Growth[];
  /** Whether one of them took more memory or handles in the second half. */
  readonly grew: boolean;
}

/** Times that memory and handles are looked at. */
const NUM_LOOKS = 50;
/** Of a process's memory: what a garbage collector's mood makes of it. */
const TOLERANCE = 0.1;

/** Trains for many steps with two workers, undisturbed, and watches memory and file handles of each process (Linux: /proc). */
export async function soak(steps: number, say: (line: string) => void): Promise<SoakSummary> {
  const home = mkdtempSync(path.join(tmpdir(), 'ardm-soak-'));
  const started = performance.now();
  const folder = path.join(home, 'run');
  const options = { config: writeConfig(home), folder, steps, numWorkers: 2, namespace: undefined };
  const cluster = await Cluster.start(options);
  const loads: Record<string, Load[]> = {};
  let due = Math.ceil(steps / NUM_LOOKS);
  try {
    await cluster.run(async () => {
      await sleep(100);
      if (cluster.step < due) return;
      due = cluster.step + Math.ceil(steps / NUM_LOOKS);
      const processes = { coordinator: cluster.coordinator } as Record<string, typeof cluster.coordinator>;
      for (const [nth, { worker }] of cluster.places.entries()) processes[`worker ${nth}`] = worker!;
      for (const [name, { child, isAlive }] of Object.entries(processes))
        if (isAlive) (loads[name] ??= []).push(loadOf(child.pid!, cluster.step));
      const text = Object.entries(loads).map(([name, all]) => `${name} ${megabytes(all.at(-1)!)}`);
      say(`step ${cluster.step}: ${text.join(', ')}`);
    });
  } finally {
    await cluster.close();
    rmSync(home, { recursive: true, force: true });
  }
  const processes = Object.entries(loads).map(([name, all]) => growthOf(name, all));
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  return { steps, seconds, processes, grew: processes.some(isGrowing) };
}

const megabytes = ({ residentBytes, handles }: Load) =>
  `${(residentBytes / 2 ** 20).toFixed(0)} MB ${handles} handles`;

function loadOf(pid: number, step: number): Load {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const residentBytes = 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]);
  return { step, residentBytes, handles: readdirSync(`/proc/${pid}/fd`).length };
}

function growthOf(process: string, loads: readonly Load[]): Growth {
  const [first, half, last] = [loads[0]!, loads[loads.length >> 1]!, loads.at(-1)!];
  const of = (what: 'residentBytes' | 'handles') => ({
    first: first[what],
    half: half[what],
    last: last[what],
  });
  return { process, residentBytes: of('residentBytes'), handles: of('handles') };
}

const isGrowing = ({ residentBytes, handles }: Growth) =>
  residentBytes.last > (1 + TOLERANCE) * residentBytes.half || handles.last > handles.half;
