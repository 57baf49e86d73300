import { LineInterpolation } from '@grafana/grafana-foundation-sdk/common';
import { bars, graph, growth, of, perSecond, stack, stat, thresholds } from './panels.mjs';
import { alerts, phases, rate, state, STEPS_PER_SECOND, timeLeft } from './shared.mjs';

const CHECKPOINT_AGE = `time() - ${of('ardm_checkpoint_last_success_timestamp_seconds')}`;

/** Workers that serve their own metrics, all of them: which coordinator's they are is not known there. */
const perSecondOfWorkers = (metric) => `rate(${metric}{job="ardm-worker"}[$__rate_interval])`;

const now = [
  state(4),
  alerts(5),
  stat(
    'Workers',
    3,
    [of('ardm_workers', 'state="ready"'), 'ready'],
    'Workers that hold the state and can be dealt slices.',
  )
    .decimals(0)
    .thresholds(thresholds('red', [1, 'green'])),
  timeLeft(3),
  stat('Checkpoint', 3, [CHECKPOINT_AGE, 'age'], 'Age of the newest one.')
    .unit('s')
    .decimals(0)
    .noValue('none yet')
    .thresholds(thresholds('green', [3600, 'orange'])),
  stat('Disk', 3, [of('ardm_disk_free_bytes'), 'free'], "Left on the disk of the run's folder.")
    .unit('bytes')
    .decimals(1),
  stat(
    'Version',
    3,
    [of('ardm_build_info'), '{{version}} on Node {{node}}'],
    'Of the coordinator; workers of another are refused.',
  ).textMode('name'),
];

const workers = [
  stack(
    'Workers',
    6,
    [[of('ardm_workers'), '{{state}}']],
    'Connected workers: ready, or syncing while they receive the state.',
  )
    .decimals(0)
    .lineInterpolation(LineInterpolation.StepAfter),
  graph(
    'Silence',
    6,
    [[of('ardm_worker_last_seen_seconds'), 'slot {{slot}}']],
    'Since each worker was last heard. At workers.heartbeatTimeoutSeconds it is given up.',
  ).unit('s'),
  graph(
    'Lag',
    6,
    [[of('ardm_worker_step_lag'), 'slot {{slot}}']],
    'Committed steps that a worker has not applied yet. 0 or 1 is normal; one that stays behind holds everybody up.',
  )
    .decimals(0)
    .unit('suffix: steps'),
  bars(
    'Joining and leaving',
    6,
    [[growth('ardm_quorum_changes_total'), '{{cause}}']],
    'stopped: told to; died: a local process; disconnected, silent, late: network or machine; diverged, misbehaved: memory, device or a stranger.',
  ),
];

const skew = [
  graph(
    'Seconds a slice',
    8,
    [
      [
        `${perSecond('ardm_worker_slice_seconds_total')} / ${perSecond('ardm_worker_slices_total')}`,
        'slot {{slot}}',
      ],
    ],
    'From the beginning of a step until the last gradient of a worker, by its slices. Slices are dealt evenly, so everybody waits for the highest line.',
  ).unit('s'),
  stack(
    'Share of the slices',
    8,
    [
      [
        `${perSecond('ardm_worker_slices_total')} / ignoring (slot) group_left () sum without (slot) (${perSecond('ardm_worker_slices_total')})`,
        'slot {{slot}}',
      ],
    ],
    'Even, but where somebody joined, left or fell behind.',
  ).unit('percentunit'),
  bars(
    'Trouble',
    8,
    [
      [growth('ardm_slices_redealt_total'), 'slices dealt again'],
      [growth('ardm_contributions_dropped_total'), 'dropped: {{reason}}'],
      [growth('ardm_connections_refused_total'), 'connections refused'],
      [growth('ardm_local_worker_restarts_total'), 'local workers restarted'],
      [growth('ardm_nonfinite_gradients_total'), 'gradient not finite'],
      [growth('ardm_state_divergence_total'), 'state diverged'],
      [growth('ardm_journal_failures_total'), 'journal not written'],
      [growth('ardm_notice_failures_total'), 'notice lost: {{by}}'],
    ],
    'What happened, as often as it did. Slices dealt again are a recovery; gradients that are not finite and diverged states have to be looked into.',
  ),
];

const gpus = [
  graph(
    'GPU use',
    8,
    [[of('ardm_worker_gpu_use_ratio'), 'slot {{slot}}']],
    'Share of the time that something ran on it, by nvidia-smi. Empty where no worker has an NVIDIA GPU.',
  )
    .max(1)
    .unit('percentunit'),
  graph(
    'GPU memory',
    8,
    [[`${of('ardm_worker_gpu_memory_used_bytes')} / ${of('ardm_worker_gpu_memory_bytes')}`, 'slot {{slot}}']],
    'In use, by whomever. Near 1 the next larger batch fails.',
  )
    .max(1)
    .unit('percentunit'),
  graph(
    'GPU temperature',
    8,
    [[of('ardm_worker_gpu_temperature_celsius'), 'slot {{slot}}']],
    'From 85 or 90 degrees on a GPU slows down.',
  ).unit('celsius'),
];

const speed = [
  rate(6),
  graph(
    'Steps',
    6,
    [
      [`60 * ${STEPS_PER_SECOND}`, 'committed'],
      [`60 * ${perSecond('ardm_steps_total', 'outcome="retried"')}`, 'retried'],
    ],
    'Steps a minute: committed, and retried because slices had to be dealt again.',
  ).unit('suffix: /min'),
  phases(6),
  graph(
    'Slow steps, by phase',
    6,
    [
      [
        `histogram_quantile(0.99, sum by (le, phase) (${perSecond('ardm_step_duration_seconds_bucket')}))`,
        '{{phase}}',
      ],
    ],
    '99th percentile. Far above the mean: something stalls now and then.',
  ).unit('s'),
];

const traffic = [
  stack(
    'Received',
    10,
    [[perSecond('ardm_bytes_total', 'direction="in"'), '{{kind}}']],
    'Message bytes from the workers, by type. Gradients are 4 bytes a parameter, worker and step, or less by exchange.codec; what workers of the same machine leave in shared memory is no message.',
  ).unit('Bps'),
  stack(
    'Sent',
    10,
    [[perSecond('ardm_bytes_total', 'direction="out"'), '{{kind}}']],
    'Message bytes to the workers, by type. A newcomer gets the whole state: 16 bytes a parameter.',
  ).unit('Bps'),
  stat(
    'Gradients',
    4,
    [of('ardm_compression_ratio'), 'ratio'],
    'How many times smaller than float32 they travel, by exchange.codec.',
  )
    .unit('suffix: x')
    .decimals(1),
];

const checkpoints = [
  graph(
    'Age of the newest',
    6,
    [[CHECKPOINT_AGE, 'age']],
    'What a crash of the coordinator right now would cost, where no worker brings back its state.',
  ).unit('s'),
  graph(
    'Mean duration',
    6,
    [
      [
        `${of('ardm_checkpoint_duration_seconds_sum')} / ${of('ardm_checkpoint_duration_seconds_count')}`,
        '{{phase}}',
      ],
    ],
    'snapshot: the copy of the state, which training waits for; write: to disk and read back, which it does not wait for.',
  ).unit('s'),
  graph(
    'Size and disk',
    6,
    [
      [of('ardm_checkpoint_bytes'), 'newest checkpoint'],
      [of('ardm_disk_free_bytes'), 'disk, free'],
    ],
    'A checkpoint is written before an old one goes: there has to be room for one more than are kept.',
  )
    .unit('bytes')
    .overrideByName('disk, free', [{ id: 'custom.axisPlacement', value: 'right' }]),
  graph(
    'Checkpoints',
    6,
    [
      [of('ardm_checkpoint_step'), 'newest, step'],
      [of('ardm_checkpoint_failures_total'), 'failed: {{reason}}'],
    ],
    'The step of the newest, and those that could not be written, by the error code of the system. ENOSPC: the disk is full.',
  )
    .decimals(0)
    .overrideByName('newest, step', [{ id: 'custom.axisPlacement', value: 'right' }]),
];

const coordinator = [
  graph(
    'CPU',
    6,
    [[perSecond('process_cpu_seconds_total'), 'cores']],
    'Cores that the coordinator uses.',
  ).unit('suffix: cores'),
  graph(
    'Memory',
    6,
    [
      [of('process_resident_memory_bytes'), 'resident'],
      [of('nodejs_heap_size_used_bytes'), 'JavaScript heap'],
      [of('nodejs_external_memory_bytes'), 'buffers'],
    ],
    'The state takes 16 bytes a parameter, a checkpoint being written as much again.',
  ).unit('bytes'),
  graph(
    'Event loop delay',
    6,
    [
      [of('nodejs_eventloop_lag_p99_seconds'), '99th percentile'],
      [of('nodejs_eventloop_lag_max_seconds'), 'longest'],
    ],
    'Delay of a 10 ms timer between two scrapes, so about 0.01 s is none. Seconds here make workers look silent.',
  ).unit('s'),
  graph(
    'Open files',
    6,
    [[of('process_open_fds'), 'open']],
    'File descriptors: each worker takes one or two. The limit is process_max_fds.',
  ).decimals(0),
];

const own = [
  graph(
    'A slice, on a lane',
    6,
    [
      [
        `${perSecondOfWorkers('ardm_replica_slice_duration_seconds_sum')} / ${perSecondOfWorkers('ardm_replica_slice_duration_seconds_count')}`,
        '{{instance}}',
      ],
    ],
    'Forward and backward alone, as workers with --http tell it. Less than what the coordinator sees of a slice, by lanes, network and waiting.',
  ).unit('s'),
  graph(
    'An update',
    6,
    [
      [
        `${perSecondOfWorkers('ardm_replica_apply_duration_seconds_sum')} / ${perSecondOfWorkers('ardm_replica_apply_duration_seconds_count')}`,
        '{{instance}}',
      ],
    ],
    'Applying an average to the replica, with the wait for a free lane.',
  ).unit('s'),
  stack(
    'Traffic of workers',
    6,
    [
      [
        `sum by (instance, direction) (${perSecondOfWorkers('ardm_replica_bytes_total')})`,
        '{{instance}}, {{direction}}',
      ],
    ],
    'Message bytes in and out of each.',
  ).unit('Bps'),
  graph(
    'Memory of workers',
    6,
    [['process_resident_memory_bytes{job="ardm-worker"}', '{{instance}}']],
    'The state takes 16 bytes a parameter; what a lane computes on comes to that.',
  ).unit('bytes'),
];

/** Who is slow, what failed, is the checkpoint fresh: [title, height, panels] of each row. */
export const OPERATOR = {
  uid: 'ardm-operator',
  title: 'ARDM: operator',
  description: 'Who is slow, what failed, is the checkpoint fresh? docs/observability.md tells what to do.',
  rows: [
    ['', 4, now],
    ['Workers', 8, workers],
    ['Skew and trouble', 8, skew],
    ['GPUs', 7, gpus],
    ['Speed', 8, speed],
    ['Traffic', 7, traffic],
    ['Checkpoints', 7, checkpoints],
    ["The coordinator's process", 7, coordinator],
    ['Workers, by their own account', 7, own],
  ],
};
