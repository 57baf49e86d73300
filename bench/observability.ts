import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEventLog } from '../coordinator/event-log.js';
import type { RunEvent } from '../coordinator/events.js';
import { serveHttp } from '../coordinator/http.js';
import { createMetrics } from '../coordinator/metrics.js';
import { RunFolder } from '../shared/page/run-folder.js';
import type { LiveMember } from '../shared/page/views.js';
import { createWorkerMetrics } from '../worker/metrics.js';
import { atMost, summarize, type Findings, type Row } from './report.js';

export interface ObservabilityOptions {
  /** Events of the run folder that is opened. */
  readonly events: number;
  /** Seconds of a step that the cost is held against. */
  readonly stepSeconds: number;
}

const NUM_WORKERS = 64;
const NUM_SCRAPES = 50;
const SCRAPE_SECONDS = 5;
/** A live page takes in what was logged so often. */
const PAGE_SECONDS = 2;
const NUM_STEPS = 2000;

const START: RunEvent = {
  ...{ event: 'start', step: 0, run: 'f00dface', version: '0.1.0', configHash: 'c0ffee' },
  ...{ numParameters: 5e6, steps: 1e8, batch: 64, slices: 64 },
};

/** A step as a coordinator with some workers tells of it. */
const stepEvent = (step: number): RunEvent => ({
  ...{ event: 'step', step, bitsPerDim: 3 + 1 / step, loss: 3.001234567 + 1 / step },
  ...{ gradientNorm: 0.512345678, clipFactor: 1, learningRate: 1.9999e-4, epoch: step / 781.25 },
  ...{ seconds: 1.23456789, members: NUM_WORKERS, bytesIn: 1.28e9, bytesOut: 1.3e9 },
  phases: { compute: 1.0123456, upload: 0.1987654, reduce: 0.0123456, publish: 0.0098765 },
  bytesByType: {
    in: { gradient: 1.28e9, examples: 81234, applied: 5678, alive: 4321 },
    out: { average: 1.28e9, commit: 91234, deal: 12345678, alive: 1234 },
  },
});

const members = (step: number): LiveMember[] =>
  Array.from({ length: NUM_WORKERS }, (_, slot) => ({
    ...{ slot, ready: true, step, silentSeconds: 0.123456, slices: step, sliceSeconds: step * 1.2 },
    gpu: { use: 0.93, memoryUsed: 61e9, memory: 80e9, celsius: 67 },
  }));

/** A scrape of 64 workers, what a step costs whoever watches, and opening the folder of a long run. */
export async function benchObservability(
  { events, stepSeconds }: ObservabilityOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const home = await mkdtemp(path.join(tmpdir(), 'ardm-observability-'));
  try {
    say(`scraping ${NUM_WORKERS} workers ...`);
    const scrape = await benchScrape();
    say(`${NUM_STEPS} steps ...`);
    const told = await costOfSteps(path.join(home, 'steps'));
    say(`a run folder of ${events} events ...`);
    const long = await openLongRun(path.join(home, 'long'), events);
    const ofWorker = await costOfWorker();
    const scraping = scrape.cpuMilliseconds / 1000 / SCRAPE_SECONDS;
    const share = Math.max(told.logged + told.read, ofWorker) / 1000 / stepSeconds + scraping;
    const rows: Row[] = [
      { what: `scrape, ${NUM_WORKERS} workers with GPUs, ms`, found: scrape.milliseconds },
      { what: 'its series', found: scrape.numSeries },
      { what: 'its CPU time, ms', found: scrape.cpuMilliseconds },
      { what: 'event log and metrics, ms of CPU a step', found: told.logged },
      { what: `page, every ${PAGE_SECONDS} s, ms of CPU a step`, found: told.read },
      { what: "a worker's own metrics, ms of CPU a step", found: ofWorker },
      { what: `event log of ${events} events, GB`, found: long.bytes / 1e9 },
      { what: 'opening it, s', found: long.seconds },
    ];
    return {
      method: [
        `Scrapes: HTTP on loopback, in one process with what serves them; ${NUM_SCRAPES} after ten.`,
        `A step: CPU time of this process while ${NUM_STEPS} steps are told to event log and metrics, and while the page takes them in; a worker likewise, with eight slices and 20 messages a step.`,
        `Its share: the larger of the two, of steps of ${stepSeconds} s, with a scrape of all ${NUM_WORKERS} workers every ${SCRAPE_SECONDS} s.`,
        'A long run: its log is written and taken in by a live run folder, which leaves roll-ups; then another one opens it.',
      ],
      rows,
      targets: [
        atMost(`ms of a scrape, ${NUM_WORKERS} workers`, 20, scrape.milliseconds.median),
        atMost('series of it', 2000, scrape.numSeries),
        atMost('% of a step', 1, 100 * share),
        atMost('s to open a run folder', 3, long.seconds),
      ],
      notes: [],
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function benchScrape() {
  const metrics = createMetrics({
    ...{ version: '0.1.0', steps: 1e8, numClasses: 256, members: () => members(100), diskFree: () => 1e12 },
  });
  metrics(START, Date.now());
  for (let step = 1; step <= 100; step++) metrics(stepEvent(step), Date.now());
  const server = await serveHttp('127.0.0.1:0', metrics.registry);
  const times: number[] = [];
  let numSeries = 0;
  const scrape = async () => {
    const begun = performance.now();
    const text = await (await fetch(`${server.url}/metrics`)).text();
    times.push(performance.now() - begun);
    numSeries = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  };
  const scrapes = async (count: number) => {
    for (let nth = 0; nth < count; nth++) await scrape();
  };
  await scrapes(10);
  times.length = 0;
  const cpu = await cpuMilliseconds(() => scrapes(NUM_SCRAPES));
  await server.close();
  return { milliseconds: summarize(times), cpuMilliseconds: cpu / NUM_SCRAPES, numSeries };
}

/** Milliseconds of CPU time a step. */
async function costOfSteps(folder: string): Promise<{ logged: number; read: number }> {
  const run = await liveRun(folder);
  const metrics = createMetrics({ version: '0.1.0', steps: 1e8, numClasses: 256 });
  const tell = (from: number) => {
    for (let step = from; step < from + NUM_STEPS; step++) {
      run.log(stepEvent(step), Date.now());
      metrics(stepEvent(step), Date.now());
    }
  };
  tell(1);
  await run.page.refresh();
  const logged = await cpuMilliseconds(() => tell(NUM_STEPS + 1));
  const read = await cpuMilliseconds(() => run.page.refresh());
  run.log.close();
  return { logged: logged / NUM_STEPS, read: read / NUM_STEPS };
}

/** Milliseconds of CPU time a step, of a worker that does eight slices and is sent 20 MB. */
async function costOfWorker(): Promise<number> {
  const metrics = createWorkerMetrics({
    ...{ version: '0.1.0', device: { description: 'a GPU', provider: 'cuda' }, lanes: 1 },
    gpu: () => undefined,
  });
  const bucket = [new Uint8Array(100), new Uint8Array(2e6)];
  const work = (numSteps: number) => {
    for (let step = 0; step < numSteps; step++) {
      for (let slice = 0; slice < 8; slice++) metrics.slice(0.1);
      for (let nth = 0; nth < 10; nth++) metrics.message('in', 'average', bucket);
      for (let nth = 0; nth < 10; nth++) metrics.message('out', 'gradient', bucket);
      metrics.applied(step, 0.01);
    }
  };
  work(NUM_STEPS);
  return (await cpuMilliseconds(() => work(NUM_STEPS))) / NUM_STEPS;
}

async function openLongRun(folder: string, numEvents: number): Promise<{ seconds: number; bytes: number }> {
  const run = await liveRun(folder);
  run.log(START, Date.now());
  for (let step = 1; step < numEvents; step++) {
    run.log(stepEvent(step), Date.now());
    if (step % 5000 === 0) await run.page.refresh();
  }
  run.log.close();
  const begun = performance.now();
  await new RunFolder('0', folder).view();
  const seconds = (performance.now() - begun) / 1000;
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).size),
  );
  return { seconds, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** A run folder that is written, and what a coordinator's page makes of it. */
async function liveRun(folder: string) {
  await mkdir(folder);
  const log = createEventLog(path.join(folder, 'events.jsonl'));
  return { log, page: new RunFolder('0', folder, { config: {}, members: () => [] }) };
}

async function cpuMilliseconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
