import { Averager } from '../../coordinator/averager.js';
import { Averaging, type FromAverager, type ToAverager } from '../../coordinator/averaging.js';
import {
  writeFor,
  type FromCheckpointWriter,
  type ToCheckpointWriter,
} from '../../coordinator/checkpoint-writing.js';
import { Checkpointer, saveLast } from '../../coordinator/checkpointer.js';
import { Coordinator, type Outcome } from '../../coordinator/coordinator.js';
import type { RunEvent } from '../../coordinator/events.js';
import { JournalOnDisk } from '../../coordinator/journal-file.js';
import { Journal, readJournal } from '../../coordinator/journal.js';
import { pastOf, recoveryOf } from '../../coordinator/past.js';
import { Products } from '../../coordinator/products.js';
import { runLayout } from '../../coordinator/run.js';
import { SameHostLane } from '../../coordinator/same-host-lane.js';
import { Sharder } from '../../coordinator/sharder.js';
import { startState } from '../../coordinator/start-state.js';
import { Exchange, exchangeOptions } from '../../shared/exchange/exchange.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { version } from '../../shared/package.js';
import { mount, unmount } from './file-system.js';
import { CoordinatorEnd } from './network.js';
import type { SimulatedProcess } from './process.js';
import { dataset, digest, model } from './setup.js';
import { SimulatedThread } from './thread.js';
import type { World } from './world.js';

/** Milliseconds since 1970 at which simulated time begins. */
const EPOCH = 1_650_000_000_000;

/**
 * A coordinator process from its start to its end, put together as `run` does: all that decides, remembers and writes is the real thing.
 *
 * @param stopped hears how SIGTERM reaches it
 */
export async function runCoordinator(
  world: World,
  process: SimulatedProcess,
  stopped: (stop: () => void) => void,
): Promise<Outcome> {
  const { network, oracle, mutation } = world;
  const root = mount({
    disk: world.disk,
    process,
    delay: () => world.diskMilliseconds(),
    written: (path, length) => world.written(process, path, length),
    before: (operation) => world.operating(process, operation),
    after: (operation) => world.operated(process, operation),
  });
  process.onEnd.push(() => unmount(root));
  const layout = runLayout(root);
  const { numParameters, numSteps, parameters } = model;
  const replica = new Replica(numParameters, numSteps);
  const { loaded } = world;
  const { config } = loaded;
  const exchange = new Exchange(exchangeOptions(config, model));
  const residual = exchange.keepsResiduals ? new SharedArrayBuffer(4 * numParameters) : undefined;
  const state = { replica, ...(residual && { residual: new Float32Array(residual) }) };
  const start = await startState(loaded, 'latest', layout.checkpoints, model, undefined, state);

  const onDisk = new JournalOnDisk(layout.journal, world.syncsJournal);
  const journalFile = mutation.journal?.(onDisk, process) ?? onDisk;
  const past = pastOf(
    readJournal(journalFile.read()),
    'latest',
    loaded.hash,
    start,
    EPOCH + world.timeline.now,
  );
  const emit = (event: RunEvent) => {
    if (event.event === 'checkpoint') journal.saved(event.step);
    if (process.alive) oracle.told(process, event);
  };
  const journal: Journal = new Journal(journalFile, past, (reason) =>
    emit({ event: 'journal-failed', step: coordinator.step, reason }),
  );
  const lane =
    world.memory && new SameHostLane(world.memory.of(process), numParameters, config.training.slices);
  const averager = new Averager(
    {
      memory: replica.memory,
      model,
      training: config.training,
      exchange: exchangeOptions(config, model),
      ...(residual && { residual }),
      step: start.step,
      chain: start.chain,
      places: lane?.places,
    },
    (data) => {
      let post: (message: FromAverager) => void = () => undefined;
      const averaging = new Averaging(data, (message) => {
        if (message.kind === 'averaged') oracle.averaged(process, message);
        post(message);
        if (message.kind === 'averaged') world.failpoint(process, 'reduce done');
      });
      const take =
        mutation.averaging?.(averaging, (message) => post(message)) ?? ((message) => averaging.take(message));
      return new SimulatedThread<ToAverager, FromAverager>(
        process,
        () => world.milliseconds(0.5, 3),
        (message, answer) => {
          post = answer;
          take(message);
          oracle.averagerHolds(process, replica);
        },
        (message) => oracle.affected(process, `the averager got ${message.kind}`),
      );
    },
  );
  const checkpointer = new Checkpointer(
    {
      folder: layout.checkpoints,
      run: past.run,
      config,
      configHash: loaded.hash,
      shape: model.shape,
      numClasses: model.numClasses,
      parameters,
      numParameters,
      numSteps,
      retention: config.checkpoints,
    },
    averager,
    emit,
    () => true,
    (data) =>
      new SimulatedThread<ToCheckpointWriter, FromCheckpointWriter>(
        process,
        () => world.milliseconds(0.1, 1),
        (message, post) => void writeFor(data, message).then(post),
      ),
  );
  const sharder = new Sharder(config, dataset);
  const coordinator = new Coordinator({
    config,
    version,
    run: past.run,
    term: past.term,
    startStep: start.step,
    shape: model.shape,
    numClasses: model.numClasses,
    model,
    modelDigest: digest,
    link: new CoordinatorEnd(network, process),
    clock: mutation.clock?.(process.clock) ?? process.clock,
    journal,
    ...recoveryOf(past, start.step, config.workers.recoverSeconds),
    exchange,
    averager,
    lane,
    sharder: mutation.sharder?.(sharder, start.step) ?? sharder,
    products: new Products(config, dataset, model, layout.samples),
    emit,
    checkpoint: () => void checkpointer.save(),
  });
  stopped(() => coordinator.stop({ exitCode: 143, reason: 'SIGTERM' }));
  await coordinator.listen('tcp://simulated:1');
  oracle.began(process, past, start.step);
  journal.begin();
  coordinator.start();
  const outcome = await saveLast(await coordinator.outcome, checkpointer);
  if (outcome.reason === undefined) oracle.done(process, coordinator.step, checkpointer.last!.sha256);
  await coordinator.close(outcome.reason ?? 'the run is done');
  onDisk.close();
  return outcome;
}
