import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Observer, RunEvent } from './events.js';

export interface MetricsOptions {
  readonly version: string;
  /** Optimizer steps in all. */
  readonly steps: number;
  /** The workers connected right now, asked at each scrape. */
  readonly members?: () => Iterable<MemberStatus>;
  /** Connections that were not let in so far, asked at each scrape. */
  readonly refused?: () => number;
}

export interface MemberStatus {
  readonly slot: number;
  /** Holds the state and can be dealt slices. */
  readonly ready: boolean;
  /** Steps that its replica has applied. */
  readonly step: number;
  /** Since it was last heard. */
  readonly silentSeconds: number;
}

const STATES = ['starting', 'waiting', 'training', 'stopping', 'done', 'failed'] as const;
const WORKER_STATES = ['syncing', 'ready'] as const;
const DROP_REASONS = ['refused', 'unreadable', 'stale', 'malformed'] as const;
/** Why a disk refuses: no space, no quota, read-only, no permission, defect. */
const WRITE_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'] as const;

/** 1 ms to 10 minutes. */
const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 150, 600,
];

/**
 * The run's metrics in a registry of its own, fed by its events (docs/metrics.md lists them). No label's values grow
 * with time: workers are told apart by slot, reasons by a few words.
 */
export function createMetrics({
  version,
  steps,
  members = () => [],
  refused = () => 0,
}: MetricsOptions): Observer & { registry: Registry } {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]) =>
    new Gauge({ name, help, labelNames, registers });
  /** A gauge that is absent, not 0, until it is first set. */
  const measured = (name: string, help: string) => {
    const created = gauge(name, help);
    created.remove();
    return created;
  };
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <T extends string>(name: string, help: string, ...labelNames: T[]) =>
    new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers });

  const step = gauge('ardm_step', 'Committed optimizer steps.');
  gauge('ardm_steps_planned', 'Optimizer steps in all.').set(steps);
  const stepsTotal = counter(
    'ardm_steps_total',
    'Steps of this process: committed, or retried because slices had to be dealt again.',
    'outcome',
  );
  const stepDuration = histogram(
    'ardm_step_duration_seconds',
    'A step as the coordinator sees it: compute (dealt to first result), upload (to last result), reduce, publish.',
    'phase',
  );
  const samples = counter('ardm_samples_total', 'Training examples in committed steps.');
  const epoch = measured('ardm_epoch', 'Whole passes over the training split.');
  const epochProgress = measured('ardm_epoch_progress_ratio', 'How far the current pass is, 0 to 1.');
  const loss = gauge(
    'ardm_loss_bits_per_dim',
    'Bound on the negative log-likelihood, by split: train is the last batch, test the last evaluation.',
    'split',
  );
  const gradientNorm = measured(
    'ardm_gradient_norm',
    'Global norm of the averaged gradient, before the clip.',
  );
  const learningRate = measured('ardm_learning_rate', 'Learning rate of the last step.');
  const state = gauge('ardm_coordinator_state', '1 for the state the run is in, 0 for the others.', 'state');

  new Gauge({
    name: 'ardm_workers',
    help: 'Connected workers: ready, or syncing while they receive the state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const each of WORKER_STATES) this.set({ state: each }, 0);
      for (const { ready } of members()) this.inc({ state: ready ? 'ready' : 'syncing' });
    },
  });
  new Gauge({
    name: 'ardm_worker_last_seen_seconds',
    help: 'Since the worker in this slot was last heard; gone when the slot is empty.',
    labelNames: ['slot'],
    registers,
    collect() {
      this.reset();
      for (const { slot, silentSeconds } of members()) this.set({ slot }, silentSeconds);
    },
  });
  new Gauge({
    name: 'ardm_worker_step_lag',
    help: 'Committed steps that the ready worker in this slot has not applied yet; 0 or 1 in a healthy run.',
    labelNames: ['slot'],
    registers,
    collect() {
      this.reset();
      for (const member of members())
        if (member.ready) this.set({ slot: member.slot }, committed - member.step);
    },
  });
  const quorumChanges = counter('ardm_quorum_changes_total', 'Workers that joined or left.', 'cause');
  const redealt = counter('ardm_slices_redealt_total', 'Slices dealt again after a worker failed at them.');
  const dropped = counter(
    'ardm_contributions_dropped_total',
    'Messages from workers not taken: refused, unreadable, stale or malformed.',
    'reason',
  );
  new Counter({
    name: 'ardm_connections_refused_total',
    help: 'Connections not let in: no key or one that is not allowed, no handshake, or too many.',
    registers,
    collect() {
      this.reset();
      this.inc(refused());
    },
  });
  const nonfinite = counter('ardm_nonfinite_gradients_total', 'Gradients refused for a NaN or an infinity.');
  const divergence = counter(
    'ardm_state_divergence_total',
    "Replicas whose state differed from the coordinator's.",
  );
  const bytes = counter(
    'ardm_bytes_total',
    "Message bytes in and out of the coordinator up to the last committed step, by the message's type.",
    'direction',
    'kind',
  );

  const checkpointDuration = histogram(
    'ardm_checkpoint_duration_seconds',
    'A checkpoint: snapshot (training waits for this), write (it does not).',
    'phase',
  );
  const checkpointTime = measured(
    'ardm_checkpoint_last_success_timestamp_seconds',
    'Unix time of the last published checkpoint of this process.',
  );
  const checkpointFailures = counter(
    'ardm_checkpoint_failures_total',
    "Checkpoints that could not be written, by the system's error code: ENOSPC is a full disk.",
    'reason',
  );
  gauge('ardm_build_info', 'Always 1; the labels tell the versions.', 'version', 'node').set(
    { version, node: process.versions.node },
    1,
  );
  collectDefaultMetrics({ register: registry });

  const enter = (current: (typeof STATES)[number]) => {
    for (const each of STATES) state.set({ state: each }, each === current ? 1 : 0);
  };
  enter('starting');
  // A rate shows the first increment only of a series that was there before it.
  for (const outcome of ['committed', 'retried']) stepsTotal.inc({ outcome }, 0);
  for (const cause of ['join', 'leave']) quorumChanges.inc({ cause }, 0);
  for (const reason of DROP_REASONS) dropped.inc({ reason }, 0);
  for (const reason of [...WRITE_ERRORS, 'other']) checkpointFailures.inc({ reason }, 0);

  let batch = 0;
  let committed = 0;
  const commit = (steps: number) => step.set((committed = steps));
  const observe = (event: RunEvent, time: number) => {
    switch (event.event) {
      case 'start':
        batch = event.batch;
        commit(event.step);
        break;
      case 'waiting':
        enter('waiting');
        break;
      case 'step':
        enter('training');
        commit(event.step);
        stepsTotal.inc({ outcome: 'committed' });
        for (const [phase, seconds] of Object.entries(event.phases)) stepDuration.observe({ phase }, seconds);
        samples.inc(batch);
        epoch.set(Math.floor(event.epoch));
        epochProgress.set(event.epoch % 1);
        loss.set({ split: 'train' }, event.bitsPerDim);
        gradientNorm.set(event.gradientNorm);
        learningRate.set(event.learningRate);
        for (const direction of ['in', 'out'] as const) {
          for (const [kind, count] of Object.entries(event.bytesByType[direction]))
            bytes.inc({ direction, kind }, count);
        }
        break;
      case 'join':
      case 'leave':
        quorumChanges.inc({ cause: event.event });
        break;
      case 'redeal':
        stepsTotal.inc({ outcome: 'retried' });
        redealt.inc(event.slices);
        break;
      case 'nonfinite':
        nonfinite.inc();
        break;
      case 'dropped':
        dropped.inc({ reason: dropReason(event.message, event.reason) }, 1 + (event.more ?? 0));
        break;
      case 'divergence':
        divergence.inc();
        break;
      case 'evaluation':
        loss.set({ split: event.split }, event.bitsPerDim);
        break;
      case 'checkpoint':
        checkpointDuration.observe({ phase: 'snapshot' }, event.snapshotSeconds);
        checkpointDuration.observe({ phase: 'write' }, event.seconds);
        checkpointTime.set(time / 1000);
        break;
      case 'checkpoint-failed':
        checkpointFailures.inc({ reason: errorCode(event.reason) });
        break;
      case 'stopping':
      case 'done':
      case 'failed':
        enter(event.event);
        break;
    }
  };
  return Object.assign(observe, { registry });
}

/** The reason in the event is a sentence and may quote the worker: as a label it would have no bound. */
function dropReason(message: string, reason: string): (typeof DROP_REASONS)[number] {
  if (message === 'hello') return 'refused';
  if (message === 'unreadable') return 'unreadable';
  return reason === 'another term' || reason === 'not dealt to it' ? 'stale' : 'malformed';
}

/** The system's error code in a message. */
function errorCode(message: string): string {
  return WRITE_ERRORS.find((code) => message.includes(code)) ?? 'other';
}
