import { statfsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { machineClock } from '../shared/clock.js';
import type { LoadedConfig } from '../shared/config/load.js';
import { withoutNotices } from '../shared/config/secrets.js';
import type { PublishedSet } from '../shared/config/sets.js';
import type { Dataset } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { EXIT, UserError } from '../shared/errors.js';
import { linuxSharedMemory } from '../shared/exchange/linux-shared-memory.js';
import { Exchange, exchangeOptions } from '../shared/exchange/exchange.js';
import { workerLine } from '../shared/keys/format.js';
import { withLocalWorkers, type CoordinatorKeys } from '../shared/keys/keys.js';
import { bytesPerVariable } from '../shared/method/classes.js';
import { describeModel, modelDigest } from '../shared/model/description.js';
import { Replica } from '../shared/optimizer/replica.js';
import { version } from '../shared/package.js';
import { Page } from '../shared/page/page.js';
import { RunFolder } from '../shared/page/run-folder.js';
import { StopSignals } from '../shared/stop-signals.js';
import { Averager } from './averager.js';
import { Checkpointer, saveLast } from './checkpointer.js';
import { Coordinator, type Outcome } from './coordinator.js';
import { createEventLog } from './event-log.js';
import type { Observer, RunEvent } from './events.js';
import { serveHttp, type HttpServer } from './http.js';
import { JournalOnDisk } from './journal-file.js';
import { Journal, readJournal } from './journal.js';
import { largestFrameBytes } from './largest-message.js';
import { createMetrics } from './metrics.js';
import { pastOf, recoveryOf } from './past.js';
import { Products } from './products.js';
import { lockRunFolder } from './run-lock.js';
import { SameHostLane } from './same-host-lane.js';
import { Sharder } from './sharder.js';
import { setAside, startState } from './start-state.js';
import { StartedWorkers } from './started-workers.js';
import { openTrackers } from './trackers.js';
import { RouterLink } from './worker-link.js';

/** Seconds that workers started by this process get to leave by themselves. */
const GRACE_SECONDS = 5;

/** Where the parts of a run lie in its folder. */
export function runLayout(runFolder: string) {
  return {
    checkpoints: path.join(runFolder, 'checkpoints'),
    samples: path.join(runFolder, 'samples'),
    logs: path.join(runFolder, 'logs'),
    events: path.join(runFolder, 'events.jsonl'),
    tensorboard: path.join(runFolder, 'tensorboard'),
    journal: path.join(runFolder, 'journal'),
  };
}

export interface RunOptions {
  readonly runFolder: string;
  /** `latest`, `never`, or the path of a checkpoint. */
  readonly resume: string;
  /** undefined: whoever reaches the address may join. */
  readonly keys?: CoordinatorKeys;
}

/** Runs a training to its end; resolves with how it ended. Everything that it tells goes to `observers`. */
export async function run(
  loaded: LoadedConfig,
  options: RunOptions,
  observers: readonly Observer[],
): Promise<Outcome> {
  const stopping = new StopSignals();
  try {
    const dataset = await openDataset(loaded.config.data, {
      baseFolder: path.dirname(loaded.path),
      fetch: true,
      report: say,
      signal: stopping.signal,
    });
    dataset.notes?.forEach(say);
    checkSizes(loaded, { numTrain: dataset.train.count, numTest: dataset.test.count });
    return await train(loaded, options, dataset, observers, stopping);
  } catch (error) {
    // Stopped before there was anything to save.
    if (stopping.signal.aborted && error === stopping.signal.reason) return { exitCode: stopping.exitCode };
    throw error;
  } finally {
    stopping.close();
  }
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

async function train(
  loaded: LoadedConfig,
  { runFolder, resume, keys }: RunOptions,
  dataset: Dataset,
  observers: readonly Observer[],
  stopping: StopSignals,
): Promise<Outcome> {
  const { hash: configHash } = loaded;
  const config = withoutNotices(loaded.config);
  const { training, workers } = config;
  const { shape, numClasses, hash: dataHash } = dataset;
  const startedAt = performance.now();
  const layout = runLayout(runFolder);
  const model = describeModel(config.model, { ...dataset, numContext: config.data.context });
  const { numParameters, numSteps } = model;
  const replica = new Replica(numParameters, numSteps);
  const trackers = await openTrackers({
    ...{ config: loaded.config, runFolder, layout, resume, emit: (event) => emit(event) },
    waitingSeconds: () => coordinator.waitingSeconds,
  });
  await makeFolder(runFolder);
  const unlock = lockRunFolder(runFolder);
  const exchange = new Exchange(exchangeOptions(config, model));
  const residual = exchange.keepsResiduals ? new SharedArrayBuffer(4 * numParameters) : undefined;
  const state = { replica, ...(residual && { residual: new Float32Array(residual) }) };
  const start = await startState(loaded, resume, layout.checkpoints, model, dataHash, state);

  const eventLog = createEventLog(layout.events);
  const metrics = createMetrics({
    version,
    steps: training.steps,
    numClasses,
    gradientCompression: (4 * numParameters) / exchange.bytes,
    members: () => coordinator.members,
    refused: () => coordinator.numRefused,
    diskFree: () => bytesLeft(runFolder),
  });
  const everyone = [eventLog, metrics, ...trackers.observers, ...observers];
  const emit = (event: RunEvent) => {
    const time = Date.now();
    for (const observe of everyone) observe(event, time);
  };

  const lane =
    workers.sharedMemory && exchange.isLossless ? sameHostLane(numParameters, training.slices) : undefined;
  const averager = new Averager({
    memory: replica.memory,
    model,
    training,
    exchange: exchangeOptions(config, model),
    ...(residual && { residual }),
    step: start.step,
    chain: start.chain,
    places: lane?.places,
  });
  const journalFile = new JournalOnDisk(layout.journal, config.checkpoints.syncJournal);
  const past = pastOf(readJournal(journalFile.read()), resume, configHash, start, Date.now());
  const runId = past.run;
  const journal = new Journal(journalFile, past, (reason) =>
    emit({ event: 'journal-failed', step: coordinator.step, reason }),
  );
  const checkpointer = new Checkpointer(
    {
      folder: layout.checkpoints,
      run: runId,
      config,
      configHash,
      shape,
      numClasses,
      ...(dataHash !== undefined && { dataHash }),
      parameters: model.parameters,
      numParameters,
      numSteps,
      retention: config.checkpoints,
    },
    averager,
    (event) => {
      if (event.event === 'checkpoint') journal.saved(event.step);
      emit(event);
    },
    () => coordinator.repeatable,
  );
  const [height, width, channels] = shape;
  const exampleBytes = height * width * channels * bytesPerVariable(numClasses);
  const admitted = keys && withLocalWorkers(keys);
  const coordinator = new Coordinator({
    config,
    version,
    run: runId,
    term: past.term,
    startStep: start.step,
    shape,
    numClasses,
    model,
    modelDigest: modelDigest(model),
    link: new RouterLink(largestFrameBytes(config, exchange, exampleBytes), admitted?.keys),
    clock: machineClock,
    journal,
    ...recoveryOf(past, start.step, workers.recoverSeconds),
    exchange,
    averager,
    lane,
    workTimes: trackers.workTimes,
    sharder: new Sharder(config, dataset),
    products: new Products(config, dataset, model, layout.samples),
    emit,
    checkpoint: () => void checkpointer.save(),
  });
  let http: HttpServer | undefined;
  let page: Page | undefined;
  let started: StartedWorkers | undefined;
  try {
    const address = await coordinator.listen(config.listen);
    page = new Page([new RunFolder('0', runFolder, { config, members: () => coordinator.members })], true);
    http = await serveHttp(config.http, metrics.registry, page);
    if (resume === 'never') {
      const aside = await setAside(layout.checkpoints);
      if (aside) say(`the former checkpoints are in ${aside}`);
    }
    journal.begin();
    const { step } = start;
    const { steps, batch, slices } = training;
    emit({ event: 'start', step, run: runId, version, configHash, numParameters, steps, batch, slices });
    emit({ event: 'listen', step, workers: address, http: http.url });
    if (start.resumed) emit({ event: 'resume', step, ...start.resumed });
    started = new StartedWorkers({
      workers,
      address,
      logFolder: layout.logs,
      keys: admitted && workerLine(admitted.local),
      onExit: (local, reason) => coordinator.localDied(local, reason),
      emit: (event) => emit({ ...event, step: coordinator.step }),
      onExhausted: (reason) => {
        // Outside workers can go on alone.
        if (coordinator.members.length === 0) coordinator.stop({ exitCode: EXIT.failure, reason });
      },
    });
    coordinator.start();
    stopping.onStop(() => {
      emit({ event: 'stopping', step: coordinator.step, reason: stopping.name });
      coordinator.stop({ exitCode: stopping.exitCode, reason: stopping.name });
    });
    const outcome = await saveLast(await coordinator.outcome, checkpointer);
    const { exitCode, reason } = outcome;
    if (reason === undefined) {
      const seconds = (performance.now() - startedAt) / 1000;
      emit({ event: 'done', step: coordinator.step, seconds, sha256: checkpointer.last!.sha256 });
    } else {
      emit({ event: 'failed', step: coordinator.step, reason, exitCode });
    }
    // Together: a local worker that left because it was told to is not one that died.
    await Promise.all([coordinator.close(reason ?? 'the run is done'), started?.stop(GRACE_SECONDS)]);
    return outcome;
  } catch (error) {
    started?.kill();
    throw error;
  } finally {
    await page?.close();
    await Promise.all([http?.close(), checkpointer.close(), averager.close()]);
    lane?.close();
    await trackers.close();
    journalFile.close();
    eventLog.close();
    unlock();
  }
}

/** undefined where the system has no such memory. */
function sameHostLane(numParameters: number, slices: number): SameHostLane | undefined {
  const memory = linuxSharedMemory();
  try {
    return memory && new SameHostLane(memory, numParameters, slices);
  } catch (error) {
    say(`no memory is shared with workers on this machine: ${(error as Error).message}`);
    return undefined;
  }
}

async function makeFolder(runFolder: string): Promise<void> {
  try {
    await mkdir(runFolder, { recursive: true });
  } catch (error) {
    throw new UserError(
      `cannot make the run's folder ${runFolder}: ${(error as Error).message}. Choose another with --run-dir`,
      EXIT.failure,
      { cause: error },
    );
  }
}

/** Undefined where the disk is away. */
function bytesLeft(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** What only the data can tell about a config. */
export function checkSizes(
  { config, path: file }: LoadedConfig,
  { numTrain, numTest }: Pick<PublishedSet, 'numTrain' | 'numTest'>,
): void {
  if (config.training.batch > numTrain) {
    throw new UserError(
      `${file}: training.batch is ${config.training.batch}, but ${config.data.set} has ${numTrain} training examples: take a smaller batch (and slices), or more data`,
      EXIT.usage,
    );
  }
  if (numTest === 0) throw new UserError(`${file}: ${config.data.set} has no test examples`, EXIT.usage);
}
