import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenAddress, Process, readEvents, type LoggedEvent } from './real-run.js';
import { atMost, type Findings, type Row } from './report.js';

export interface RoundOptions {
  /** Of each run without arithmetic. */
  readonly steps: number;
}

type Settings = Readonly<Record<string, string | number | boolean>>;

/** Steps before the timed ones. */
const WARM_UP = 50;
/** How many times a worker is lost and regained. */
const NUM_LOSSES = 5;

const CONFIG = `
name: round
data: { set: text, file: pangrams.txt, vocabulary: text8, length: 16 }
model:
  network: { kind: transformer, layers: 1, width: 16, heads: 2, mlpWidth: 32 }
training: { steps: 1, batch: 8, slices: 8, learningRate: 1.0e-3, ema: 0.9 }
evaluation: { examples: 1, batch: 1 }
samples: { count: 0 }
checkpoints: { everySteps: 0 }
`;

/** Times of steps without arithmetic, of losses and of restarts, from the event logs of real coordinators over loopback sockets. */
export async function benchRound({ steps }: RoundOptions, say: (line: string) => void): Promise<Findings> {
  const home = await mkdtemp(path.join(tmpdir(), 'ardm-round-'));
  await writeFile(
    path.join(home, 'pangrams.txt'),
    'the quick brown fox jumps over the lazy dog '.repeat(500),
  );
  await writeFile(path.join(home, 'round.yaml'), CONFIG);
  try {
    const rows: Row[] = [];
    const empty: Record<string, number[]> = {};
    for (const syncJournal of [true, false]) {
      say(`4 workers, syncJournal ${syncJournal} ...`);
      const { row, milliseconds } = await emptyRounds(home, 4, steps, syncJournal);
      rows.push(row);
      empty[String(syncJournal)] = milliseconds;
    }
    for (const numWorkers of [64, 256]) {
      say(`${numWorkers} workers ...`);
      rows.push((await emptyRounds(home, numWorkers, Math.max(60, Math.ceil(steps / 4)), false)).row);
    }
    say('losing one of four, and regaining it ...');
    const losses = await loseAndRegain(home);
    rows.push(...losses.rows);
    for (const width of [16, 512, 1024]) {
      say(`a killed coordinator, network of width ${width} ...`);
      rows.push(await recovery(home, width));
    }
    return {
      method: [
        'Real coordinators; workers over loopback TCP. Without arithmetic: workers of one process, whose gradients are zeros; step to step.',
        'One of four: processes that compute. Restart: from the start of the new process; its worker holds the state. Milliseconds.',
      ],
      rows,
      targets: [
        atMost('empty round, 4 workers, p50 ms (journal not synced)', 2, percentile(empty.false!, 50)),
        atMost('empty round, 4 workers, p99 ms (journal not synced)', 10, percentile(empty.false!, 99)),
        atMost('a lost worker is noticed, slowest, ms', 500, Math.max(...losses.noticed)),
        atMost('the next step after that, slowest, ms', 1000, Math.max(...losses.next)),
      ],
      notes: [],
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** The value below which `percent` of them lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))]!;
}

const stepsOf = (events: readonly LoggedEvent[]) =>
  events.flatMap((event) => (event.event === 'step' ? [event] : []));

function row(measured: string, milliseconds: readonly number[], more = ''): Row {
  return {
    measured,
    p50: percentile(milliseconds, 50),
    p99: percentile(milliseconds, 99),
    count: milliseconds.length,
    more,
  };
}

function startCoordinator(home: string, folder: string, settings: Settings): Process {
  return new Process('ardm-coord', '../coordinator/bin.js', [
    ...['--config', path.join(home, 'round.yaml'), '--run-dir', folder, '--workers', '0'],
    ...['--http', '127.0.0.1:0'],
    ...Object.entries({ listen: 'tcp://127.0.0.1:0', ...settings }).flatMap(([name, value]) => [
      '--set',
      `${name}=${value}`,
    ]),
  ]);
}

async function emptyRounds(home: string, numWorkers: number, steps: number, syncJournal: boolean) {
  const folder = await mkdtemp(path.join(home, 'run-'));
  const slices = Math.max(8, numWorkers);
  const coordinator = startCoordinator(home, folder, {
    'training.steps': WARM_UP + steps,
    'training.slices': slices,
    'training.batch': slices,
    'workers.minimum': numWorkers,
    'checkpoints.syncJournal': syncJournal,
  });
  const address = await listenAddress(folder, coordinator);
  const workers = new Process('workers', './idle-workers.js', [address, String(numWorkers)]);
  let memory = '';
  const look = setInterval(() => (memory = memoryOf(coordinator.pid) ?? memory), 200);
  try {
    await coordinator.done();
  } finally {
    clearInterval(look);
    for (const process of [coordinator, workers]) process.kill();
  }
  const milliseconds = stepsOf(readEvents(folder))
    .slice(WARM_UP)
    .map(({ seconds }) => 1000 * seconds);
  const rate = 1000 / percentile(milliseconds, 50);
  const name = `empty round, ${numWorkers} workers, journal ${syncJournal ? '' : 'not '}synced`;
  return { milliseconds, row: row(name, milliseconds, `${rate.toFixed(0)} rounds/s, ${memory}`) };
}

/** Peak of a process so far. */
function memoryOf(pid: number): string | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
    return `${(Number(kilobytes) / 1024).toFixed(0)} MB`;
  } catch {
    return undefined;
  }
}

async function waitFor(folder: string, coordinator: Process, fits: (event: LoggedEvent) => boolean) {
  while (true) {
    const found = readEvents(folder).find(fits);
    if (found) return found;
    coordinator.check();
    await sleep(10);
  }
}

const at = (event: LoggedEvent) => Date.parse(event.time);

async function loseAndRegain(home: string) {
  const folder = await mkdtemp(path.join(home, 'run-'));
  const coordinator = startCoordinator(home, folder, { 'training.steps': 1_000_000 });
  const address = await listenAddress(folder, coordinator);
  const join = () =>
    new Process('ardm-worker', '../worker/bin.js', ['--coordinator', address, '--cpu', '--threads', '1']);
  const workers = Array.from({ length: 4 }, join);
  const [noticed, next, regained]: [number[], number[], number[]] = [[], [], []];
  try {
    await waitFor(folder, coordinator, (event) => event.event === 'step' && event.members === 4);
    for (let loss = 0; loss < NUM_LOSSES; loss++) {
      await sleep(500);
      const { pid } = workers[loss % 4]!;
      const killedAt = Date.now();
      workers[loss % 4]!.kill();
      const left = await waitFor(
        folder,
        coordinator,
        (event) => event.event === 'leave' && event.pid === pid,
      );
      const step = await waitFor(
        folder,
        coordinator,
        (event) => event.event === 'step' && event.step > left.step,
      );
      noticed.push(at(left) - killedAt);
      next.push(at(step) - at(left));
      const newcomer = (workers[loss % 4] = join());
      const joined = await waitFor(
        folder,
        coordinator,
        (event) => event.event === 'join' && event.pid === newcomer.pid,
      );
      // Whatever is dealt to it is dealt with the step after its state has come.
      const served = await waitFor(
        folder,
        coordinator,
        (event) => event.event === 'step' && event.step >= joined.step + 2,
      );
      regained.push(at(served) - at(joined));
    }
  } finally {
    for (const process of [coordinator, ...workers]) process.kill();
  }
  const rows = [
    row('one of four killed: noticed', noticed),
    row('the next step after that', next),
    row('a newcomer: from its hello, two steps later', regained),
  ];
  return { noticed, next, rows };
}

async function recovery(home: string, width: number): Promise<Row> {
  const folder = await mkdtemp(path.join(home, 'run-'));
  const settings = {
    'training.steps': 1_000_000,
    'model.network.width': width,
    'model.network.mlpWidth': 4 * width,
    'model.network.layers': width > 16 ? 3 : 1,
  };
  const first = startCoordinator(home, folder, settings);
  const address = await listenAddress(folder, first);
  const workers = new Process('workers', './idle-workers.js', [address, '1']);
  const processes = [first, workers];
  try {
    await waitFor(folder, first, (event) => event.event === 'step' && event.step >= 20);
    first.kill();
    await sleep(200);
    const startedAt = Date.now();
    const second = startCoordinator(home, folder, { ...settings, listen: address });
    processes.push(second);
    const recovered = await waitFor(folder, second, (event) => event.event === 'recovered');
    const step = await waitFor(
      folder,
      second,
      (event) => event.event === 'step' && at(event) > at(recovered),
    );
    const start = readEvents(folder).find(({ event }) => event === 'start');
    const numParameters = start?.event === 'start' ? start.numParameters : 0;
    const name = `a killed coordinator, ${numParameters} parameters: its state is back`;
    return row(name, [at(recovered) - startedAt], `next step ${at(step) - at(recovered)} ms later`);
  } finally {
    for (const process of processes) process.kill();
  }
}
