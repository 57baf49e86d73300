import { graph, stacked, stat, thresholds } from './dashboard-panels.mjs';

/** The series of the chosen coordinator, further narrowed by `matchers`. */
const of = (metric, ...matchers) => `${metric}{${['instance="$instance"', ...matchers].join(', ')}}`;
const perSecond = (metric, ...matchers) => `rate(${of(metric, ...matchers)}[$__rate_interval])`;
const increase = (metric, ...matchers) => `increase(${of(metric, ...matchers)}[$__rate_interval])`;

const STEPS_PER_SECOND = perSecond('ardm_steps_total', 'outcome="committed"');

const STATE_COLORS = {
  starting: 'blue',
  waiting: 'orange',
  training: 'green',
  stopping: 'orange',
  done: 'green',
  failed: 'red',
};

const NOW = [
  stat(
    'State',
    4,
    [of('ardm_coordinator_state') + ' == 1', '{{state}}', { range: false, instant: true }],
    'What the coordinator does right now. Waiting: fewer workers are ready than the run needs.',
    {
      noValue: 'not running',
      options: { textMode: 'name', colorMode: 'background' },
      overrides: Object.entries(STATE_COLORS).map(([state, fixedColor]) => ({
        matcher: { id: 'byName', options: state },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
  ),
  stat(
    'Progress',
    4,
    [`${of('ardm_step')} / ${of('ardm_steps_planned')}`, 'progress'],
    'Committed steps of all planned ones.',
    { unit: 'percentunit', decimals: 1, min: 0, max: 1, options: { graphMode: 'area' } },
  ),
  stat(
    'Time left',
    3,
    [
      `(${of('ardm_steps_planned')} - ${of('ardm_step')}) / ignoring (outcome) (${STEPS_PER_SECOND} > 0)`,
      'time left',
    ],
    'The steps that are left at the present rate; evaluations and sample grids to come are not in it.',
    { unit: 's', decimals: 0, noValue: 'no step yet' },
  ),
  stat('Rate', 3, [perSecond('ardm_samples_total'), 'examples/s'], 'Training examples a second.', {
    unit: 'suffix: /s',
    options: { graphMode: 'area' },
  }),
  stat(
    'Test bound',
    4,
    [of('ardm_loss_bits_per_dim', 'split="test"'), 'test'],
    'Bits per dimension of the moving average at the last evaluation. Lower is better.',
    { unit: 'suffix: bits/dim', decimals: 4, noValue: 'not evaluated' },
  ),
  stat(
    'Workers',
    2,
    [of('ardm_workers', 'state="ready"'), 'ready'],
    'Workers that hold the state and can be dealt slices.',
    {
      decimals: 0,
      thresholds: {
        mode: 'absolute',
        steps: [
          { color: 'red', value: null },
          { color: 'green', value: 1 },
        ],
      },
    },
  ),
  stat(
    'Alerts',
    4,
    [
      of('ALERTS', 'alertstate="firing"', 'alertname=~"Ardm.+"'),
      '{{alertname}}',
      { range: false, instant: true },
    ],
    'What fires of deploy/prometheus/alerts.yml, where Prometheus loads it.',
    {
      noValue: 'none',
      thresholds: thresholds([1, 'red']),
      options: { textMode: 'name', colorMode: 'background' },
    },
  ),
];

const LEARNING = [
  graph(
    'Bound',
    12,
    [
      [of('ardm_loss_bits_per_dim', 'split="train"'), 'train, last batch'],
      [`avg_over_time(${of('ardm_loss_bits_per_dim', 'split="train"')}[5m])`, 'train, mean of 5 minutes'],
      [of('ardm_loss_bits_per_dim', 'split="test"'), 'test'],
    ],
    'Bound on the negative log-likelihood. Single batches scatter widely: look at the mean. A test bound that rises while the training bound falls is overfitting.',
    {
      unit: 'suffix: bits/dim',
      decimals: 3,
      min: undefined,
      overrides: [
        {
          matcher: { id: 'byName', options: 'train, last batch' },
          properties: [
            { id: 'custom.lineStyle', value: { fill: 'dot', dash: [1, 4] } },
            { id: 'custom.fillOpacity', value: 0 },
          ],
        },
        {
          matcher: { id: 'byRegexp', options: '.*mean.*|test' },
          properties: [{ id: 'custom.lineWidth', value: 2 }],
        },
      ],
    },
  ),
  graph(
    'Gradient norm',
    6,
    [[of('ardm_gradient_norm'), 'norm']],
    'Of the averaged gradient before the clip, on a logarithmic scale. Peaks above training.clip are scaled down to it; a lasting rise comes before divergence.',
    { unit: 'short', min: undefined, custom: { scaleDistribution: { type: 'log', log: 10 } } },
  ),
  graph(
    'Learning rate and epoch',
    6,
    [
      [of('ardm_learning_rate'), 'learning rate'],
      [`${of('ardm_epoch')} + ${of('ardm_epoch_progress_ratio')}`, 'epoch'],
    ],
    'The learning rate of the last step, and how often the training split was passed through.',
    {
      unit: 'sci',
      overrides: [
        {
          matcher: { id: 'byName', options: 'epoch' },
          properties: [
            { id: 'unit', value: 'short' },
            { id: 'custom.axisPlacement', value: 'right' },
          ],
        },
      ],
    },
  ),
];

const SPEED = [
  graph(
    'Rate',
    6,
    [[perSecond('ardm_samples_total'), 'examples/s']],
    'Training examples a second. It drops to 0 while the run evaluates or samples.',
    { unit: 'suffix: /s' },
  ),
  graph(
    'Steps',
    6,
    [
      [`60 * ${STEPS_PER_SECOND}`, 'committed'],
      [`60 * ${perSecond('ardm_steps_total', 'outcome="retried"')}`, 'retried'],
    ],
    'Steps a minute: committed, and retried because slices had to be dealt again.',
    { unit: 'suffix: /min' },
  ),
  graph(
    'Mean step, by phase',
    6,
    [
      [
        `${perSecond('ardm_step_duration_seconds_sum')} / ${perSecond('ardm_step_duration_seconds_count')}`,
        '{{phase}}',
      ],
    ],
    'compute: dealt until the first gradient arrives; upload: until the last; reduce: sum and update; publish: handing the average to the sockets. A long upload is a slow link or one slow worker.',
    { unit: 's', custom: stacked },
  ),
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
    { unit: 's' },
  ),
];

const WORKERS = [
  graph(
    'Workers',
    6,
    [[of('ardm_workers'), '{{state}}']],
    'Connected workers: ready, or syncing while they receive the state.',
    { decimals: 0, custom: { ...stacked, lineInterpolation: 'stepAfter' } },
  ),
  graph(
    'Silence',
    6,
    [[of('ardm_worker_last_seen_seconds'), 'slot {{slot}}']],
    'Since each worker was last heard. At workers.heartbeatTimeoutSeconds it is given up.',
    { unit: 's' },
  ),
  graph(
    'Lag',
    6,
    [[of('ardm_worker_step_lag'), 'slot {{slot}}']],
    'Committed steps that a worker has not applied yet. 0 or 1 is normal; one that stays behind holds everybody up.',
    { decimals: 0, unit: 'suffix: steps' },
  ),
  graph(
    'Trouble',
    6,
    [
      [increase('ardm_quorum_changes_total'), '{{cause}}'],
      [increase('ardm_slices_redealt_total'), 'slices dealt again'],
      [increase('ardm_contributions_dropped_total'), 'dropped: {{reason}}'],
      [increase('ardm_connections_refused_total'), 'connections refused'],
      [increase('ardm_nonfinite_gradients_total'), 'gradient not finite'],
      [increase('ardm_state_divergence_total'), 'state diverged'],
    ],
    'What happened, as often as it did. A join or leave with a few slices dealt again is a recovery; gradients that are not finite and diverged states have to be looked into.',
    { decimals: 0, custom: { drawStyle: 'bars', fillOpacity: 60, lineWidth: 0 } },
  ),
];

const TRAFFIC = [
  graph(
    'Received',
    12,
    [[perSecond('ardm_bytes_total', 'direction="in"'), '{{kind}}']],
    'Message bytes from the workers, by type. Gradients are 4 bytes a parameter, worker and step.',
    { unit: 'Bps', custom: stacked },
  ),
  graph(
    'Sent',
    12,
    [[perSecond('ardm_bytes_total', 'direction="out"'), '{{kind}}']],
    'Message bytes to the workers, by type. A newcomer gets the whole state: 16 bytes a parameter.',
    { unit: 'Bps', custom: stacked },
  ),
];

const CHECKPOINTS = [
  graph(
    'Age of the newest',
    8,
    [[`time() - ${of('ardm_checkpoint_last_success_timestamp_seconds')}`, 'age']],
    'What a crash of the coordinator right now would cost.',
    { unit: 's' },
  ),
  graph(
    'Mean duration',
    8,
    [
      [
        `${of('ardm_checkpoint_duration_seconds_sum')} / ${of('ardm_checkpoint_duration_seconds_count')}`,
        '{{phase}}',
      ],
    ],
    'snapshot: the copy of the state, which training waits for; write: to disk and read back, which it does not wait for.',
    { unit: 's' },
  ),
  graph(
    'Failures',
    8,
    [[of('ardm_checkpoint_failures_total'), '{{reason}}']],
    'Checkpoints that could not be written, by the error code of the system. ENOSPC: the disk is full.',
    { decimals: 0 },
  ),
];

const PROCESS = [
  graph('CPU', 6, [[perSecond('process_cpu_seconds_total'), 'cores']], 'Cores that the coordinator uses.', {
    unit: 'suffix: cores',
  }),
  graph(
    'Memory',
    6,
    [
      [of('process_resident_memory_bytes'), 'resident'],
      [of('nodejs_heap_size_used_bytes'), 'JavaScript heap'],
      [of('nodejs_external_memory_bytes'), 'buffers'],
    ],
    'The state takes 16 bytes a parameter, a checkpoint being written as much again.',
    { unit: 'bytes' },
  ),
  graph(
    'Event loop delay',
    6,
    [
      [of('nodejs_eventloop_lag_p99_seconds'), '99th percentile'],
      [of('nodejs_eventloop_lag_max_seconds'), 'longest'],
    ],
    'Delay of a 10 ms timer between two scrapes, so about 0.01 s is none. Seconds here make workers look silent.',
    { unit: 's' },
  ),
  graph(
    'Open files',
    6,
    [[of('process_open_fds'), 'open']],
    'File descriptors: each worker takes one or two. The limit is process_max_fds.',
    { decimals: 0 },
  ),
];

/** The rows of the dashboard: title, height, panels. */
export const ROWS = [
  ['', 4, NOW],
  ['Learning', 9, LEARNING],
  ['Speed', 8, SPEED],
  ['Workers', 8, WORKERS],
  ['Traffic', 8, TRAFFIC],
  ['Checkpoints', 7, CHECKPOINTS],
  ["The coordinator's process", 7, PROCESS],
];
