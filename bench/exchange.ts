import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findGloo } from './peers/gloo.js';
import { listenAddress, Process, readEvents } from './real-run.js';
import { atMost, summarize, type Findings, type Row, type Summary, type Target } from './report.js';

export interface ExchangeOptions {
  /** Timed steps of each run. */
  readonly rounds: number;
  readonly processes: readonly number[];
}

const WARM_UP = 6;

/** Transformers by their gradient's size; what a worker pretends to compute, so that its update is not what is timed. */
const SIZES = [
  { name: '3.5 MB', layers: 1, width: 256, computeMs: 20, limit: 1.2 },
  { name: '16 MiB', layers: 1, width: 576, computeMs: 100, limit: 1 },
  { name: '256 MiB', layers: 5, width: 1024, computeMs: 1500, limit: 1 },
] as const;

type Size = (typeof SIZES)[number];
const LANES = { memory: true, sockets: false };
type LaneName = keyof typeof LANES;

/** What a step takes beyond its computing: real coordinators and workers of one host, against gloo's all-reduce of as many elements. */
export async function benchExchange(
  { rounds, processes }: ExchangeOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const home = await mkdtemp(path.join(tmpdir(), 'ardm-exchange-'));
  await writeFile(
    path.join(home, 'pangrams.txt'),
    'the quick brown fox jumps over the lazy dog '.repeat(500),
  );
  const gloo = findGloo();
  try {
    const rows: Row[] = [];
    const targets: Target[] = [];
    for (const numProcesses of processes)
      for (const size of SIZES) {
        const ours = {} as Record<LaneName, Summary>;
        let numParameters = 0;
        for (const lane of Object.keys(LANES) as LaneName[]) {
          say(`${size.name}, ${numProcesses} workers, ${lane} ...`);
          const run = await timeExchange(home, size, numProcesses, LANES[lane], rounds);
          ours[lane] = summarize(run.milliseconds);
          numParameters = run.numParameters;
        }
        say(`${size.name}, ${numProcesses} processes, gloo ...`);
        const theirs =
          typeof gloo === 'string'
            ? undefined
            : summarize(gloo.allReduce(numProcesses, rounds, [numParameters])[0]!);
        const ratio = theirs && ours.memory.median / theirs.median;
        rows.push({
          gradient: size.name,
          elements: numParameters,
          processes: numProcesses,
          ...ours,
          gloo: theirs,
          ratio,
        });
        targets.push(atMost(`${size.name}, ${numProcesses} processes: memory over gloo`, size.limit, ratio));
      }
    return {
      method: [
        'Milliseconds of a step beyond its computing: from the moment at which the last worker has its sum until all have the average, with norm, checksums and',
        "journal; workers are processes that wait instead of computing. Beside it gloo's all-reduce (PyTorch) of as many float32, of its slowest process.",
      ],
      rows,
      targets,
      notes: typeof gloo === 'string' ? [gloo] : [`PyTorch ${gloo.version}`],
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function timeExchange(
  home: string,
  { layers, width, computeMs }: Size,
  numWorkers: number,
  sharedMemory: boolean,
  rounds: number,
): Promise<{ milliseconds: number[]; numParameters: number }> {
  const folder = await mkdtemp(path.join(home, 'run-'));
  const config = path.join(folder, 'exchange.yaml');
  await writeFile(
    config,
    `
name: exchange
data: { set: text, file: ${path.join(home, 'pangrams.txt')}, vocabulary: text8, length: 16 }
model:
  network: { kind: transformer, layers: ${layers}, width: ${width}, heads: 2, mlpWidth: ${4 * width} }
training: { steps: ${WARM_UP + rounds}, batch: ${numWorkers}, slices: ${numWorkers}, learningRate: 1.0e-3, ema: 0.9 }
evaluation: { examples: 1, batch: 1 }
samples: { count: 0 }
checkpoints: { everySteps: 0, syncJournal: false }
workers: { minimum: ${numWorkers}, sharedMemory: ${sharedMemory}, hashEverySteps: 1000000, heartbeatTimeoutSeconds: 60 }
`,
  );
  const runFolder = path.join(folder, 'run');
  const coordinator = new Process('ardm-coord', '../coordinator/bin.js', [
    ...['--config', config, '--run-dir', runFolder, '--workers', '0'],
    ...['--listen', 'tcp://127.0.0.1:0', '--http', '127.0.0.1:0'],
  ]);
  const processes = [coordinator];
  try {
    const address = await listenAddress(runFolder, coordinator);
    for (let nth = 0; nth < numWorkers; nth++)
      processes.push(new Process('worker', './idle-workers.js', [address, '1', String(computeMs)]));
    const steps = await stepTimes(runFolder, coordinator, WARM_UP + rounds);
    const start = readEvents(runFolder).find(({ event }) => event === 'start');
    return {
      milliseconds: steps.slice(WARM_UP).map((time, nth) => time - steps[WARM_UP + nth - 1]! - computeMs),
      numParameters: start?.event === 'start' ? start.numParameters : 0,
    };
  } finally {
    for (const process of processes) process.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** When each step was published, in milliseconds. */
async function stepTimes(runFolder: string, coordinator: Process, count: number): Promise<number[]> {
  while (true) {
    const times = readEvents(runFolder).flatMap(({ event, time }) =>
      event === 'step' ? [Date.parse(time)] : [],
    );
    if (times.length >= count) return times;
    coordinator.check();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
