import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { machineClock } from '../shared/clock.js';
import type { LoadedConfig } from '../shared/config/load.js';
import type { PublishedSet } from '../shared/config/sets.js';
import type { Dataset } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { EXIT, UserError } from '../shared/errors.js';
import { describeModel, modelDigest } from '../shared/model/description.js';
import { Replica } from '../shared/optimizer/replica.js';
import { version } from '../shared/package.js';
import { MAX_HEADER_BYTES } from '../shared/protocol/codec.js';
import { StopSignals } from '../shared/stop-signals.js';
import { Averager } from './averager.js';
import { Checkpointer } from './checkpointer.js';
import { Coordinator, type Outcome } from './coordinator.js';
import { createEventLog } from './event-log.js';
import type { Observer, RunEvent } from './events.js';
import { serveHttp, type HttpServer } from './http.js';
import { JournalOnDisk } from './journal-file.js';
import { goesOnFrom, Journal, readJournal, type JournalFile, type Past } from './journal.js';
import { LocalWorkers } from './local-workers.js';
import { createMetrics } from './metrics.js';
import { Products } from './products.js';
import { Sharder } from './sharder.js';
import { setAside, startState, type StartState } from './start-state.js';
import { RouterLink } from './worker-link.js';

/** Seconds that local workers get to leave by themselves. */
const GRACE_SECONDS = 5;

/** Where the parts of a run lie in its folder. */
export function runLayout(runFolder: string) {
  return {
    checkpoints: path.join(runFolder, 'checkpoints'),
    samples: path.join(runFolder, 'samples'),
    logs: path.join(runFolder, 'logs'),
    events: path.join(runFolder, 'events.jsonl'),
    journal: path.join(runFolder, 'journal'),
  };
}

export interface RunOptions {
  readonly runFolder: string;
  /** `latest`, `never`, or the path of a checkpoint. */
  readonly resume: string;
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
  { runFolder, resume }: RunOptions,
  dataset: Dataset,
  observers: readonly Observer[],
  stopping: StopSignals,
): Promise<Outcome> {
  const { config, hash: configHash } = loaded;
  const { training, workers } = config;
  const { shape, numClasses, hash: dataHash } = dataset;
  const startedAt = performance.now();
  const layout = runLayout(runFolder);
  const model = describeModel(config.model, { ...dataset, numContext: config.data.context });
  const { numParameters, numSteps } = model;
  const replica = new Replica(numParameters, numSteps);
  const start = await startState(loaded, resume, layout.checkpoints, model, dataHash, replica);
  await makeFolder(runFolder);

  const eventLog = createEventLog(layout.events);
  const metrics = createMetrics({ version, steps: training.steps, members: () => coordinator.members });
  const everyone = [eventLog, metrics, ...observers];
  const emit = (event: RunEvent) => {
    const time = Date.now();
    for (const observe of everyone) observe(event, time);
  };

  const averager = new Averager({
    memory: replica.memory,
    model,
    training,
    bucketBytes: workers.bucketBytes,
    step: start.step,
    chain: start.chain,
  });
  const journalFile = new JournalOnDisk(layout.journal, config.checkpoints.syncJournal);
  const past = pastOf(journalFile, resume, configHash, start);
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
    link: new RouterLink(Math.max(64 * 2 ** 20, 2 * workers.bucketBytes) + MAX_HEADER_BYTES),
    clock: machineClock,
    journal,
    ...recoveryOf(past, start.step, workers.recoverSeconds),
    averager,
    sharder: new Sharder(config, dataset),
    products: new Products(config, dataset, model, layout.samples),
    emit,
    checkpoint: () => void checkpointer.save(),
  });
  let http: HttpServer | undefined;
  let locals: LocalWorkers | undefined;
  try {
    const address = await coordinator.listen(config.listen);
    http = await serveHttp(config.http, metrics.registry);
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
    if (workers.local > 0) {
      locals = new LocalWorkers({
        count: workers.local,
        address,
        logFolder: layout.logs,
        restarts: workers.restarts,
        onExit: (local, reason) => coordinator.localDied(local, reason),
        onRestart: (local, attempt, delaySeconds, reason) =>
          emit({ event: 'restart', step: coordinator.step, slot: local, attempt, delaySeconds, reason }),
        onExhausted: (reason) => {
          // Outside workers can go on alone.
          if (coordinator.members.length === 0) coordinator.stop({ exitCode: EXIT.failure, reason });
        },
      });
    }
    coordinator.start();
    stopping.onStop(() => {
      emit({ event: 'stopping', step: coordinator.step, reason: stopping.name });
      coordinator.stop({ exitCode: stopping.exitCode, reason: stopping.name });
    });
    const outcome = await saved(await coordinator.outcome, checkpointer);
    const { exitCode, reason } = outcome;
    if (reason === undefined) {
      const seconds = (performance.now() - startedAt) / 1000;
      emit({ event: 'done', step: coordinator.step, seconds, sha256: checkpointer.last!.sha256 });
    } else {
      emit({ event: 'failed', step: coordinator.step, reason, exitCode });
    }
    // Together: a local worker that left because it was told to is not one that died.
    await Promise.all([coordinator.close(reason ?? 'the run is done'), locals?.stop(GRACE_SECONDS)]);
    return outcome;
  } catch (error) {
    locals?.kill();
    throw error;
  } finally {
    await Promise.all([http?.close(), checkpointer.close(), averager.close()]);
    journalFile.close();
    eventLog.close();
  }
}

/** What is known of the run: its journal's word where that goes on from the state that was loaded, in a new term. */
function pastOf(file: JournalFile, resume: string, configHash: string, start: StartState): Past {
  const { step, chain } = start;
  const past = readJournal(file.read());
  const term = Math.max(Math.floor(Date.now() / 1000), (past?.term ?? 0) + 1);
  if (resume === 'latest' && past?.configHash === configHash && goesOnFrom(past, start))
    return { ...past, term };
  return { run: randomUUID(), term, configHash, commits: [{ step, chain }], members: [] };
}

/** How newer states than the one that was loaded are looked for, where there may be any. */
function recoveryOf({ commits, members }: Past, step: number, waitSeconds: number) {
  const tip = commits.at(-1)!.step;
  if (tip <= step) return {};
  return { recovery: { tip, expected: members, waitMs: waitSeconds * 1000, commits } };
}

/** Saves the last state. A run whose end is on no disk has failed. */
async function saved(outcome: Outcome, checkpointer: Checkpointer): Promise<Outcome> {
  const failure = await checkpointer.save();
  if (failure === undefined || outcome.reason !== undefined) return outcome;
  return { exitCode: EXIT.failure, reason: `the last checkpoint could not be written: ${failure}` };
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
