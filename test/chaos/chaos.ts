import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../shared/random/philox.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { Faults } from './faults.js';
import { Namespace } from './namespace.js';
import { writeConfig } from './setup.js';

export interface ChaosOptions {
  readonly seed: number;
  /** Runs are begun until so many minutes are over; there is one at least. */
  readonly minutes: number;
  readonly numWorkers: number;
  /** Of each run. */
  readonly steps: number;
  /** Between two faults, on average. */
  readonly faultSeconds: number;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface ChaosSummary {
  readonly seed: number;
  readonly runs: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Committed steps of all runs. */
  readonly steps: number;
  readonly seconds: number;
  /** Beyond the undisturbed runs' time. */
  readonly secondsLost: number;
  /** Of the parameters that the runs ended with; of the first that ended otherwise, where one did. */
  readonly sha256: string;
  readonly referenceSha256: string;
}

/** How often the event log is read. */
const LOOK_MS = 50;
/** A run that stands still for so long is left alone until it moves: a slow machine would never get up between two faults. */
const STILL_MS = 5000;

/**
 * Trains undisturbed, then again and again while processes are killed, frozen and stopped and their connections cut, slowed and
 * damaged: each run is to end with the same weights.
 *
 * @throws Error where a process ends by itself, replicas come apart, or a run gets stuck
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosSummary> {
  const { seed, minutes, numWorkers, steps, faultSeconds, say } = options;
  const home = mkdtempSync(path.join(tmpdir(), 'ardm-chaos-'));
  const namespace = await Namespace.open();
  if (typeof namespace === 'string') say(`no network namespaces here: ${namespace}`);
  const counts: Record<string, number> = {};
  const common = { config: writeConfig(home), steps, namespace: undefined };
  try {
    const reference = await trainOnce({ ...common, folder: path.join(home, 'reference'), numWorkers: 1 });
    say(`undisturbed: ${steps} steps in ${reference.seconds.toFixed(1)} s, ${reference.sha256}`);
    const started = performance.now();
    let [runs, seconds, { sha256 }] = [0, 0, reference];
    do {
      const faults = new Faults(new Random(seed, 2000, runs, 0), counts);
      const folder = path.join(home, `run-${runs}`);
      const place = typeof namespace === 'string' ? undefined : namespace;
      const run = await trainOnce({ ...common, folder, numWorkers, namespace: place }, faults, faultSeconds);
      runs++;
      seconds += run.seconds;
      ({ sha256 } = run);
      const numFaults = Object.values(counts).reduce((sum, count) => sum + count, 0);
      say(`run ${runs}: ${run.seconds.toFixed(1)} s, ${numFaults} faults so far, ${sha256}`);
      rmSync(folder, { recursive: true });
    } while (sha256 === reference.sha256 && performance.now() - started < minutes * 60_000);
    return {
      ...{ seed, runs, faults: counts, steps: steps * runs, seconds: round(seconds) },
      secondsLost: round(seconds - runs * reference.seconds),
      ...{ sha256, referenceSha256: reference.sha256 },
    };
  } finally {
    if (typeof namespace !== 'string') namespace.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const round = (seconds: number) => Number(seconds.toFixed(1));

async function trainOnce(
  options: ClusterOptions,
  faults?: Faults,
  faultSeconds = Infinity,
): Promise<{ sha256: string; seconds: number }> {
  const started = performance.now();
  const cluster = await Cluster.start(options);
  let due = performance.now() + (faults?.pause(1000 * faultSeconds) ?? 0);
  try {
    await cluster.run(async () => {
      await sleep(LOOK_MS);
      if (!faults || performance.now() < due || cluster.step === 0 || cluster.stillMs > STILL_MS) return;
      faults.strike(cluster);
      due = performance.now() + faults.pause(1000 * faultSeconds);
    });
    return { sha256: cluster.sha256!, seconds: (performance.now() - started) / 1000 };
  } finally {
    faults?.close();
    cluster.heal();
    await cluster.close();
  }
}
