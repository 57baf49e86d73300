import type { Instruments } from '../shared/metrics/instruments.js';
import { DEPARTURES } from './departures.js';

export const STATES = ['starting', 'waiting', 'training', 'stopping', 'done', 'failed'] as const;
export const DROP_REASONS = ['refused', 'unreadable', 'stale', 'malformed'] as const;
/** Why a disk refuses: no space, no quota, read-only, no permission, defect. */
export const WRITE_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'] as const;

/** What is not told by events, but asked for at each scrape. */
export interface Asked {
  /** Connections that were not let in so far. */
  readonly refused: () => number;
  /** Bytes that the run's disk has left; undefined where it doesn't say. */
  readonly diskFree: () => number | undefined;
}

/** The metrics of a run, but for those of each worker. */
export function createRunInstruments(instruments: Instruments, { refused, diskFree }: Asked) {
  const step = instruments.gauge('ardm_step', 'Committed optimizer steps.');
  const planned = instruments.gauge('ardm_steps_planned', 'Optimizer steps in all.');
  const stepsTotal = instruments.counter(
    'ardm_steps_total',
    'Steps of this process: committed, or retried because slices had to be dealt again.',
    'outcome',
  );
  const stepDuration = instruments.durations(
    'ardm_step_duration_seconds',
    'A step as the coordinator sees it: compute (dealt to first result), upload (to last result), reduce, publish.',
    'phase',
  );
  const samples = instruments.counter('ardm_samples_total', 'Training examples in committed steps.');
  const epoch = instruments.measured('ardm_epoch', 'Whole passes over the training split.');
  const epochProgress = instruments.measured(
    'ardm_epoch_progress_ratio',
    'How far the current pass is, 0 to 1.',
  );
  const loss = instruments.gauge(
    'ardm_loss_bits_per_dim',
    'Bound on the negative log-likelihood, by split: train is the last batch, test the last evaluation.',
    'split',
  );
  const standardError = instruments.measured(
    'ardm_evaluation_standard_error_bits_per_dim',
    'Standard error of the last evaluation.',
  );
  const dataCompression = instruments.measured(
    'ardm_data_compression_ratio',
    'Bits of a dimension as it is stored, over the test bound: what lossless compression with this model comes to.',
  );
  const objective = instruments.measured(
    'ardm_objective_bits_per_dim',
    'What is minimized, on the last batch: the bound, and the cross-entropy term times model.ceWeight.',
  );
  const gradientNorm = instruments.measured(
    'ardm_gradient_norm',
    'Global norm of the averaged gradient, before the clip.',
  );
  const learningRate = instruments.measured('ardm_learning_rate', 'Learning rate of the last step.');
  const clipFactor = instruments.measured(
    'ardm_clip_factor',
    'What the last gradient was multiplied by; below 1 it was longer than training.clip.',
  );
  const taskDuration = instruments.gauge(
    'ardm_task_duration_seconds',
    'The last evaluation and the last samples: from their step to the end, which training waits for.',
    'kind',
  );
  const state = instruments.gauge(
    'ardm_coordinator_state',
    '1 for the state the run is in, 0 for the others.',
    'state',
  );

  const quorumChanges = instruments.counter(
    'ardm_quorum_changes_total',
    'Workers that joined, or left and why.',
    'cause',
  );
  const restarts = instruments.counter(
    'ardm_local_worker_restarts_total',
    'Local workers started again after they had died.',
  );
  const redealt = instruments.counter(
    'ardm_slices_redealt_total',
    'Slices dealt again after a worker failed at them.',
  );
  const dropped = instruments.counter(
    'ardm_contributions_dropped_total',
    'Messages from workers not taken: refused, unreadable, stale or malformed.',
    'reason',
  );
  instruments.counterOf(
    'ardm_connections_refused_total',
    'Connections not let in: no key or one that is not allowed, no handshake, or too many.',
    [],
    () => [[{}, refused()]],
  );
  const nonfinite = instruments.counter(
    'ardm_nonfinite_gradients_total',
    'Gradients refused for a NaN or an infinity.',
  );
  const divergence = instruments.counter(
    'ardm_state_divergence_total',
    "Replicas whose state differed from the coordinator's.",
  );
  const bytes = instruments.counter(
    'ardm_bytes_total',
    "Message bytes in and out of the coordinator up to the last committed step, by the message's type.",
    'direction',
    'kind',
  );
  const gradientCompression = instruments.gauge(
    'ardm_compression_ratio',
    'Bytes of a gradient as float32, over those that travel: what exchange.codec comes to.',
  );

  const checkpointDuration = instruments.durations(
    'ardm_checkpoint_duration_seconds',
    'A checkpoint: snapshot (training waits for this), write (it does not).',
    'phase',
  );
  const checkpointTime = instruments.measured(
    'ardm_checkpoint_last_success_timestamp_seconds',
    'Unix time of the last published checkpoint of this process.',
  );
  const checkpointStep = instruments.measured('ardm_checkpoint_step', 'Committed steps in that checkpoint.');
  const checkpointBytes = instruments.measured('ardm_checkpoint_bytes', 'Size of that checkpoint.');
  const checkpointFailures = instruments.counter(
    'ardm_checkpoint_failures_total',
    "Checkpoints that could not be written, by the system's error code: ENOSPC is a full disk.",
    'reason',
  );
  const journalFailures = instruments.counter(
    'ardm_journal_failures_total',
    'Commits that could not be noted: a restart may find fewer steps than were published.',
  );
  const noticeFailures = instruments.counter(
    'ardm_notice_failures_total',
    'Notices that did not get through, by webhook or command.',
    'by',
  );
  instruments.gaugeOf('ardm_disk_free_bytes', "Left on the disk of the run's folder.", [], () => {
    const free = diskFree();
    return free === undefined ? [] : [[{}, free]];
  });
  const about = instruments.gauge(
    'ardm_run_info',
    'Always 1; the labels tell the run and its config.',
    'run',
    'config_hash',
  );

  // A rate shows the first increment only of a series that was there before it.
  for (const outcome of ['committed', 'retried']) stepsTotal.inc({ outcome }, 0);
  for (const cause of ['join', ...DEPARTURES]) quorumChanges.inc({ cause }, 0);
  for (const reason of DROP_REASONS) dropped.inc({ reason }, 0);
  for (const reason of [...WRITE_ERRORS, 'other']) checkpointFailures.inc({ reason }, 0);
  for (const by of ['webhook', 'command']) noticeFailures.inc({ by }, 0);

  return {
    planned,
    step,
    stepsTotal,
    stepDuration,
    samples,
    epoch,
    epochProgress,
    loss,
    standardError,
    dataCompression,
    gradientCompression,
    objective,
    gradientNorm,
    learningRate,
    clipFactor,
    taskDuration,
    state,
    quorumChanges,
    restarts,
    redealt,
    dropped,
    nonfinite,
    divergence,
    bytes,
    checkpointDuration,
    checkpointTime,
    checkpointStep,
    checkpointBytes,
    checkpointFailures,
    journalFailures,
    noticeFailures,
    about,
  };
}
