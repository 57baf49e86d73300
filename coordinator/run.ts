import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { loadCheckpoint } from '../shared/checkpoint/load.js';
import type { LoadedConfig } from '../shared/config/load.js';
import { openDataset } from '../shared/data/open.js';
import { EXIT, UserError } from '../shared/errors.js';
import { CHAIN_START } from '../shared/exchange/chain.js';
import { describeModel, modelDigest, type ModelDescription } from '../shared/model/description.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { Replica } from '../shared/optimizer/replica.js';
import { version } from '../shared/package.js';
import { Averager } from './averager.js';
import { Checkpointer } from './checkpointer.js';
import { Coordinator, type Outcome } from './coordinator.js';
import { createEventLog } from './event-log.js';
import type { Observer, RunEvent } from './events.js';
import { serveHttp } from './http.js';
import { LocalWorkers } from './local-workers.js';
import { createMetrics } from './metrics.js';
import type { Options } from './options.js';
import { Products } from './products.js';
import { Sharder } from './sharder.js';

/** Where the parts of a run lie in its folder. */
export function runLayout(runFolder: string) {
  return {
    checkpoints: path.join(runFolder, 'checkpoints'),
    samples: path.join(runFolder, 'samples'),
    logs: path.join(runFolder, 'logs'),
    events: path.join(runFolder, 'events.jsonl'),
  };
}

interface Start {
  readonly step: number;
  readonly chain: string;
  readonly resumed: { readonly checkpoint: string; readonly skipped: string[] } | undefined;
}

/** Fills the replica from a checkpoint or with fresh parameters. */
async function startState(
  loaded: LoadedConfig,
  resume: string,
  folder: string,
  model: ModelDescription,
  replica: Replica,
): Promise<Start> {
  const { config, hash } = loaded;
  if (resume === 'never' && existsSync(folder)) {
    await rename(folder, `${folder}-before-${new Date().toISOString().replaceAll(':', '-')}`);
  }
  const found =
    resume === 'never'
      ? undefined
      : await loadCheckpoint(resume === 'latest' ? folder : resume, {
          parameters: model.parameters,
          config,
          configHash: hash,
          state: replica,
        });
  if (found) {
    const { step, chain, path: checkpoint, skipped } = found;
    return { step, chain, resumed: { checkpoint, skipped } };
  }
  if (resume !== 'latest' && resume !== 'never') throw new UserError(`${resume}: no checkpoint there`);
  initializeParameters(model.parameters, config.seed, replica.parameters);
  replica.ema.set(replica.parameters);
  return { step: 0, chain: CHAIN_START, resumed: undefined };
}

/** Runs a training to its end; resolves with the exit code. Everything that it tells goes to `observers`. */
export async function run(
  loaded: LoadedConfig,
  options: Options,
  observers: readonly Observer[],
): Promise<Outcome> {
  const { config, hash: configHash, path: configPath } = loaded;
  const startedAt = performance.now();
  const stopping = new AbortController();
  const forgetSignals = onSignals(stopping);
  const runFolder = options.runDir ?? path.join('runs', config.name);
  const layout = runLayout(runFolder);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const dataset = await openDataset(config.data, {
    baseFolder: path.dirname(configPath),
    fetch: true,
    report: say,
    signal: stopping.signal,
  });
  checkSizes(loaded, dataset.train.count, dataset.test.count);
  const model = describeModel(config.model, dataset);
  const replica = new Replica(model.numParameters);
  await mkdir(runFolder, { recursive: true });
  const start = await startState(loaded, options.resume, layout.checkpoints, model, replica);
  if (start.step > config.training.steps) {
    throw new UserError(
      `${runFolder} is already at step ${start.step}, beyond training.steps ${config.training.steps}: ` +
        'raise it with --steps, or start anew with --resume never or another --run-dir',
      EXIT.usage,
    );
  }

  const eventLog = createEventLog(layout.events);
  const metrics = createMetrics({ version, steps: config.training.steps });
  const everyone = [eventLog, metrics, ...observers];
  const emit = (event: RunEvent) => {
    const time = Date.now();
    for (const observe of everyone) observe(event, time);
  };

  const averager = new Averager({
    memory: replica.memory,
    numParameters: model.numParameters,
    training: config.training,
    bucketBytes: config.workers.bucketBytes,
    step: start.step,
    chain: start.chain,
  });
  const sharder = new Sharder(config, dataset);
  const products = new Products(config, dataset, layout.samples);
  const runId = randomUUID();
  const checkpointer = new Checkpointer(
    {
      folder: layout.checkpoints,
      run: runId,
      config,
      configHash,
      repeatable: true,
      parameters: model.parameters,
      numParameters: model.numParameters,
      retention: config.checkpoints,
    },
    averager,
    emit,
  );
  const coordinator = new Coordinator({
    config,
    version,
    run: runId,
    term: Math.floor(Date.now() / 1000),
    startStep: start.step,
    shape: dataset.shape,
    numClasses: dataset.numClasses,
    numVariables: model.numVariables,
    numParameters: model.numParameters,
    modelDigest: modelDigest(model),
    averager,
    sharder,
    products,
    emit,
    checkpoint: () => void checkpointer.save(),
  });
  let http: Awaited<ReturnType<typeof serveHttp>> | undefined;
  let locals: LocalWorkers | undefined;
  try {
    const address = await coordinator.listen(options.listen ?? config.listen);
    http = await serveHttp(options.http ?? config.http, metrics.registry);
    const { training } = config;
    emit({
      event: 'start',
      step: start.step,
      run: runId,
      version,
      configHash,
      numParameters: model.numParameters,
      steps: training.steps,
      batch: training.batch,
      slices: training.slices,
    });
    emit({ event: 'listen', step: start.step, workers: address, http: http.url });
    if (start.resumed) emit({ event: 'resume', step: start.step, ...start.resumed });
    const numLocal = options.workers ?? config.workers.local;
    if (numLocal > 0) {
      locals = new LocalWorkers({
        count: numLocal,
        address,
        logFolder: layout.logs,
        restarts: config.workers.restarts,
        onRestart: (local, attempt, delaySeconds, reason) =>
          emit({ event: 'restart', step: coordinator.step, slot: local, attempt, delaySeconds, reason }),
        onExhausted: (reason) => coordinator.stop({ exitCode: EXIT.failure, reason }),
      });
    }
    coordinator.start();
    stopping.signal.addEventListener('abort', () => {
      const exitCode = stopping.signal.reason === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
      emit({ event: 'stopping', step: coordinator.step, reason: String(stopping.signal.reason) });
      coordinator.stop({ exitCode });
    });
    if (stopping.signal.aborted) coordinator.stop({ exitCode: EXIT.interrupted });
    const outcome = await coordinator.outcome;
    await checkpointer.save();
    const { exitCode } = outcome;
    const reason =
      outcome.reason ?? (exitCode === EXIT.done ? 'the run is done' : 'the coordinator was stopped');
    if (exitCode === EXIT.done) {
      const saved = checkpointer.last;
      const seconds = (performance.now() - startedAt) / 1000;
      emit({ event: 'done', step: coordinator.step, seconds, sha256: saved?.sha256 ?? '' });
    } else {
      emit({ event: 'failed', step: coordinator.step, reason, exitCode });
    }
    await coordinator.close(reason);
    await locals?.stop(5);
    return outcome;
  } catch (error) {
    locals?.kill();
    throw error;
  } finally {
    forgetSignals();
    await Promise.all([http?.close(), checkpointer.close(), averager.close()]);
    eventLog.close();
  }
}

/** The first SIGINT or SIGTERM saves and stops, the second ends the process at once. Returns how to undo it. */
function onSignals(stopping: AbortController): () => void {
  const handlers = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const handle = () => {
      if (stopping.signal.aborted) process.exit(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
      stopping.abort(signal);
    };
    process.on(signal, handle);
    return [signal, handle] as const;
  });
  return () => handlers.forEach(([signal, handle]) => process.off(signal, handle));
}

/** What only the data can tell about a config. */
function checkSizes({ config, path: file }: LoadedConfig, numTrain: number, numTest: number): void {
  if (config.training.batch > numTrain) {
    throw new UserError(
      `${file}: training.batch is ${config.training.batch}, but ${config.data.set} has ${numTrain} training examples`,
      EXIT.usage,
    );
  }
  if (numTest === 0) throw new UserError(`${file}: ${config.data.set} has no test examples`, EXIT.usage);
}
